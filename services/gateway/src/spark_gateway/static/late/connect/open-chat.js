// @ts-check
// The way to the owner's chat, where the settings say one.

import { icon, show } from "../../dom.js";
import { made } from "../made.js";
import { pageLink } from "./snippets.js";

/** @typedef {import("../../types.js").View} View */

export class OpenChat extends HTMLElement {
  /** @param {View} view */
  set view({ state }) {
    const found = state.known.settings?.value?.settings.find((/** @type {any} */ each) => each.name === "OPEN_WEBUI_URL")?.value;
    const href = pageLink(found);
    if (href && this.childElementCount === 0) {
      this.append(made("a", { class: "btn quiet", target: "_blank", rel: "noopener noreferrer" }, icon("out"), made("span", { text: "Open chat" }), made("span", { class: "sr", text: " in a new tab" })));
    }
    const link = /** @type {HTMLAnchorElement|null} */ (this.firstElementChild);
    if (!link) return;
    show(link, href !== null);
    if (href) link.href = href;
  }
}
