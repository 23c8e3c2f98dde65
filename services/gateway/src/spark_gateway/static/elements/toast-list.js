// @ts-check
// The result of what you did: good news leaves by itself, bad news waits to be read.

import { cloned, part, say, setBadge } from "../dom.js";

const GOOD_MS = 4000;
const AT_MOST = 4;

export class ToastList extends HTMLElement {
  connectedCallback() {
    this.className = "toasts";
    this.setAttribute("role", "status");
    this.setAttribute("aria-live", "polite");
    this.popover = "manual";
  }

  /** @param {"ok"|"warn"|"bad"} tone @param {string} title @param {string} [text] */
  add(tone, title, text = "") {
    const toast = /** @type {HTMLElement} */ (cloned("t-toast").firstElementChild);
    setBadge(part(toast, "badge"), tone, { ok: "check", warn: "warn", bad: "x" }[tone]);
    say(part(toast, "title"), title);
    say(part(toast, "text"), text);
    part(toast, "close").addEventListener("click", () => toast.remove());
    this.append(toast);
    if (this.matches(":popover-open")) this.hidePopover();
    if (document.querySelector("dialog[open]")) this.showPopover(); // else it would lie below the dialog
    while (this.childElementCount > AT_MOST) this.firstElementChild?.remove();
    if (tone === "ok") setTimeout(() => toast.remove(), GOOD_MS);
  }
}
