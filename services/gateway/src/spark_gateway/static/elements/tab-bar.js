// @ts-check
// The parts of the page; on a phone under the thumb.

import { icon, keyed, say } from "../dom.js";
import { TABS } from "../tabs.js";

/** @typedef {import("../types.js").View} View */

export class TabBar extends HTMLElement {
  /** @param {View} view */
  set view({ tab, state }) {
    if (this.childElementCount === 0) {
      const nav = document.createElement("nav");
      nav.className = "tabs";
      nav.setAttribute("aria-label", "Sections");
      this.append(nav);
    }
    const nav = /** @type {HTMLElement} */ (this.firstElementChild);
    nav.hidden = state.menu !== null && state.menu.hosts.length === 0;
    keyed(nav, TABS, (each) => each.name, (each) => {
      const link = document.createElement("a");
      link.href = `#${each.name}`;
      link.append(icon(each.icon), document.createElement("span"));
      return link;
    }, (link, each) => {
      say(link.lastElementChild, each.label);
      if (each.name === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }
}
