// @ts-check
// Who reserved the Sparks, why, how long still, who waits, and who asks for it.
// No live region: the sentence in the top bar says it, and the time left changes all the time.

import { cloned, keyed, part, say, sayOrHide, setBadge, setButton, setPill, show, wish } from "../dom.js";
import { leaseLook } from "../lease-words.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../lease-words.js").LeaseLook} LeaseLook */

export class LockBanner extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-lock"));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const look = leaseLook(state, now);
    show(this, look !== null);
    if (!look) return;
    const box = /** @type {HTMLElement} */ (this.firstElementChild);
    box.className = look.tone === "warn" ? "notice warn" : "notice";
    setBadge(part(this, "badge"), look.tone, look.icon);
    say(part(this, "title-text"), look.title);
    sayOrHide(part(this, "left"), look.left && `, ${look.left}`);
    say(part(this, "text"), look.text);
    this.#line(look);
    keyed(part(this, "yields"), look.yields, (each) => each.key, () => document.createElement("li"), (item, each) => {
      setPill(item, { tone: "line", icon: "info", word: each.words });
    });
    show(part(this, "yields"), look.yields.length > 0);
    keyed(part(this, "actions"), look.press, (press) => press.wish, (press) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = press.tone === "btn" ? "btn" : press.tone;
      button.addEventListener("click", () => wish(this, press.wish));
      return button;
    }, (button, press) => setButton(button, press.label, press.icon));
    show(part(this, "actions"), look.press.length > 0);
  }

  /** @param {LeaseLook} look */
  #line({ line }) {
    show(part(this, "line"), line.length > 0);
    keyed(part(this, "line"), line, (each) => each.key, () => document.createElement("li"), (item, each) => {
      setPill(item, { tone: each.mine ? "now" : "line", icon: "clock", word: each.words });
    });
  }
}
