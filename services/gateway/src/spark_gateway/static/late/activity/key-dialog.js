// @ts-check
// The form of an API key; after a new one the key itself, shown this one time.

import { part, say, show, wish } from "../../dom.js";
import { setProblems } from "../../forms.js";
import { changesOf, emptyForm, formOf, keyOf } from "./keys.js";
import { Sheet } from "../../elements/sheet.js";

/** @typedef {import("./keys.js").KeyForm} KeyForm */
/** @typedef {import("../../types-owner.js").KeyView} KeyView */

const TEXTS = /** @type {const} */ (["name", "requests", "tokens", "concurrency", "weight", "models", "expires"]);
const BOXES = /** @type {const} */ (["infer", "admin"]);

export class KeyDialog extends Sheet {
  static template = "t-key-dialog";

  /** The key that is changed, and its form before; none while one is made. @type {{id: string, before: KeyForm}|null} */
  standing = null;

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", () => {
      setProblems(this, new Map());
      this.note("idle", "");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (part(this, "go").disabled) return;
      if (this.standing) this.#change(this.standing);
      else this.#make();
    });
    part(this, "copy").addEventListener("click", () => wish(this, "copy-key", { text: part(this, "text").value }));
    part(this, "text").addEventListener("focus", () => part(this, "text").select());
  }

  /** @param {KeyView} [key]  A standing one, to change it. */
  begin(key) {
    const form = key ? formOf(key) : emptyForm();
    this.standing = key ? { id: key.id, before: form } : null;
    if (key) this.head(`Change the key of ${key.name}`, "The key itself stays the same. Every request from now on goes by what you save.");
    else this.head("Make an API key", "For an app or a person. It is shown once and kept only as a hash.");
    say(part(this, "go"), key ? "Save it" : "Make it");
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

  #make() {
    const { key, problems } = keyOf(this.value, Date.now());
    this.mark(problems);
    if (problems.size === 0) wish(this, "make-key", { key });
  }

  /** @param {{id: string, before: KeyForm}} standing */
  #change({ id, before }) {
    const { changes, problems } = changesOf(before, this.value, Date.now());
    this.mark(problems);
    if (problems.size > 0) return;
    if (Object.keys(changes).length === 0) this.close();
    else wish(this, "change-key", { id, changes });
  }

  /** @param {boolean} made */
  #shape(made) {
    for (const name of ["fields", "later", "go"]) show(part(this, name), !made);
    for (const name of ["shown", "done"]) show(part(this, name), made);
  }
}
