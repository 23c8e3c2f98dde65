// @ts-check
// A value that is copied by a click or Enter; the whole field is the button.

import { cloned, part, say, wish } from "../dom.js";

/**
 * Put a text on the clipboard; over plain HTTP, where browsers offer no clipboard, by selecting it.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr";
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}

export class CopyField extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-copy"));
    part(this, "value").textContent = this.dataset.value ?? "";
    this.querySelector("button")?.addEventListener("click", () => wish(this, "copy-text", { text: this.dataset.value }));
  }

  /** @param {string} value */
  set value(value) {
    this.dataset.value = value;
    if (this.childElementCount > 0) say(part(this, "value"), value);
  }
}
