// @ts-check
// A new API key: first the form, then the key itself, shown this one time.

import { part, show, wish } from "../dom.js";
import { setProblems } from "../forms.js";
import { emptyForm, keyOf } from "../keys.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../keys.js").KeyForm} KeyForm */

const TEXTS = /** @type {const} */ (["name", "requests", "tokens", "concurrency", "weight", "models", "expires"]);
const BOXES = /** @type {const} */ (["infer", "admin"]);

export class KeyDialog extends Sheet {
  static template = "t-key-dialog";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", () => {
      setProblems(this, new Map());
      this.note("idle", "");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (part(this, "go").disabled) return;
      const { key, problems } = keyOf(this.value, Date.now());
      this.mark(problems);
      if (problems.size === 0) wish(this, "make-key", { key });
    });
    part(this, "copy").addEventListener("click", () => wish(this, "copy-key", { text: part(this, "text").value }));
    part(this, "text").addEventListener("focus", () => part(this, "text").select());
  }

  begin() {
    this.head("Make an API key", "For an app or a person. It is shown once and kept only as a hash.");
    const form = emptyForm();
    for (const name of TEXTS) part(this, name).value = form[name];
    for (const name of BOXES) part(this, name).checked = form[name];
    setProblems(this, new Map());
    this.note("idle", "");
    this.busy = false;
    this.#shape(false);
    this.show(part(this, "name"));
  }

  /** It was made: the only time that its text is here. @param {string} name @param {string} text */
  made(name, text) {
    this.head(`The key of ${name}`, "Copy it now. It cannot be shown again.");
    part(this, "text").value = text;
    this.note("idle", "");
    this.#shape(true);
    part(this, "copy").focus();
  }

  /** Nothing secret stays in the page. */
  closed() {
    part(this, "text").value = "";
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }

  /** @returns {KeyForm} */
  get value() {
    const texts = TEXTS.map((name) => [name, part(this, name).value]);
    return /** @type {any} */ (Object.fromEntries([...texts, ...BOXES.map((name) => [name, part(this, name).checked])]));
  }

  /** @param {boolean} made */
  #shape(made) {
    for (const name of ["fields", "later", "go"]) show(part(this, name), !made);
    for (const name of ["shown", "done"]) show(part(this, name), made);
  }
}
