// @ts-check
// What all dialogs have in common: they open over the page, close by their own buttons, and say what is wrong.

import { cloned, part, say, sayOrHide, setIcon, show } from "../dom.js";
import { fieldNames, setProblems } from "../forms.js";

export class Sheet extends HTMLElement {
  /** Id of the template. */
  static template = "";
  /** Counts what stood here: an answer to a question about what was here before is nobody's any more. */
  visit = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned(/** @type {typeof Sheet} */ (this.constructor).template));
    for (const name of ["head", "note"]) this.querySelector(`.dlg-${name}`)?.append(cloned(`t-sheet-${name}`));
    part(this, "title").id = this.dialog.getAttribute("aria-labelledby");
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
    sayOrHide(part(this, "lead"), lead);
  }

  /** One line about how it stands, above the buttons. @param {"ok"|"bad"|"now"|"idle"|"warn"} tone @param {string} text */
  note(tone, text) {
    const line = part(this, "note");
    show(line, text !== "");
    line.className = `result ${tone}`;
    setIcon(part(this, "note-icon"), { ok: "ok", bad: "bad", now: "busy", idle: "info", warn: "warn" }[tone]);
    say(part(this, "note-text"), text);
  }

  /**
   * What was refused stands beside its fields, the first of them under the cursor; what belongs to none, above the buttons.
   * @param {import("../api.js").Refusal} why
   */
  notSaved({ message, problems }) {
    const names = fieldNames(this);
    const told = problems.length > 0 && problems.every((problem) => names.includes(problem.field));
    this.note("bad", told ? "Nothing was saved: see what is marked." : message);
    this.mark(new Map(problems.map(({ field }) => [field, problems.filter((each) => each.field === field)])));
  }

  /** @param {Map<string, import("../types-control.js").FieldProblem[]>} problems by field */
  mark(problems) {
    setProblems(this, problems);
    if (problems.size > 0) /** @type {HTMLElement|null} */ (this.querySelector("[aria-invalid=true]"))?.focus();
  }

  /** The launch command, under its disclosure. @param {string} command */
  command(command) {
    show(part(this, "command-box"), command !== "");
    say(part(this, "command"), command);
  }
}
