// @ts-check
// What all dialogs have in common: they open over the page, close by their own buttons, and say what is wrong.

import { cloned, part, say, setIcon, show } from "../dom.js";

export class Sheet extends HTMLElement {
  /** Id of the template. */
  static template = "";
  /** Counts what stood here: an answer to a question about what was here before is nobody's any more. */
  visit = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned(/** @type {typeof Sheet} */ (this.constructor).template));
    for (const button of this.querySelectorAll("[data-close]")) button.addEventListener("click", () => this.close());
    this.dialog.addEventListener("close", () => {
      if (this.dialog.open) return;
      this.visit += 1;
      this.closed();
    });
    this.ready();
  }

  /** Once, when the parts are there. */
  ready() {}

  /** Every time it was closed, however. */
  closed() {}

  /**
   * What is done with it later is done only while the same still stands here.
   * @returns {(then: () => void, otherwise?: () => void) => void}
   */
  meanwhile() {
    const { visit } = this;
    return (then, otherwise = () => {}) => (this.visit === visit ? then() : otherwise());
  }

  /** @returns {HTMLDialogElement} */
  get dialog() {
    return /** @type {HTMLDialogElement} */ (this.firstElementChild);
  }

  /** @param {HTMLElement} [first] what gets the focus */
  show(first) {
    if (!this.dialog.open) this.dialog.showModal();
    first?.focus();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {string} title @param {string} [lead] */
  head(title, lead) {
    say(part(this, "title"), title);
    if (lead !== undefined) say(part(this, "lead"), lead);
  }

  /** One line about how it stands, above the buttons. @param {"ok"|"bad"|"now"|"idle"|"warn"} tone @param {string} text */
  note(tone, text) {
    const line = part(this, "note");
    show(line, text !== "");
    line.className = `result ${tone}`;
    setIcon(part(this, "note-icon"), { ok: "ok", bad: "bad", now: "busy", idle: "info", warn: "warn" }[tone]);
    say(part(this, "note-text"), text);
  }

  /** The launch command, under its disclosure. @param {string} command */
  command(command) {
    show(part(this, "command-box"), command !== "");
    say(part(this, "command"), command);
  }
}
