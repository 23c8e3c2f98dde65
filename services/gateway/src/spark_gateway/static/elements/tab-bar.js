// @ts-check
// The parts of the page; on a phone under the thumb.

import { icon, keyed, say, sayOrHide } from "../dom.js";
import { serviceCount } from "../health-words.js";
import { TABS } from "../tabs.js";

/** @typedef {import("../types.js").View} View */

export class TabBar extends HTMLElement {
  /** @param {View} view */
  set view({ tab, state, now }) {
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
      const words = document.createElement("span");
      words.append(each.short ?? each.label);
      if (each.short) {
        const rest = document.createElement("span");
        rest.className = "wide-only";
        rest.append(each.label.slice(each.short.length));
        words.append(rest);
      }
      link.append(icon(each.icon), words);
      if (each.name === "services") {
        const number = document.createElement("span");
        number.ariaHidden = "true";
        const spoken = document.createElement("span");
        spoken.className = "sr";
        link.append(number, spoken);
      }
      return link;
    }, (link, each) => {
      const number = each.name === "services" ? serviceCount(state, now) : null;
      if (link.children[2]) {
        link.children[2].className = `count ${number?.tone ?? ""}`;
        sayOrHide(link.children[2], number?.text);
        say(link.children[3], number ? `${number.text} ${number.words}` : "");
      }
      if (each.name === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }
}
