// @ts-check
// A target as a form: where to, of what, with which secret.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../../dom.js";
import { setProblems } from "../../forms.js";
import { TARGET_KINDS, targetForm, targetOf, TOPICS } from "./messages.js";
import { Sheet } from "../../elements/sheet.js";

/** @typedef {import("../../types-owner.js").TargetView} TargetView */
/** @typedef {import("./messages.js").TargetForm} TargetForm */

const TEXTS = /** @type {const} */ (["id", "name", "kind", "url", "address", "secret"]);

export class TargetDialog extends Sheet {
  static template = "t-target-dialog";
  /** @type {TargetView|null} */
  base = null;

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    part(this, "kind").append(...Object.entries(TARGET_KINDS).map(([kind, { label }]) => new Option(label, kind)));
    keyed(part(this, "topics"), Object.entries(TOPICS), ([topic]) => topic, () => /** @type {HTMLElement} */ (cloned("t-choice").firstElementChild), (choice, [, words]) => {
      say(part(choice, "label"), words.label);
      say(part(choice, "help"), words.help);
    });
    form.addEventListener("input", () => {
      setProblems(this, new Map());
      this.note("idle", "");
      this.#shape();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "go").disabled) this.#submit();
    });
  }

  /** @param {TargetView|null} base  Null: a new one. */
  begin(base) {
    this.base = base;
    this.head(base ? `Change ${base.name}` : "Tell somebody", "Every event waits here until it is delivered, for up to three days.");
    const form = targetForm(base);
    for (const name of TEXTS) part(this, name).value = form[name];
    for (const choice of part(this, "topics").children) part(choice, "box").checked = form.topics.includes(/** @type {any} */ (choice).dataset.key);
    part(this, "enabled").checked = form.enabled;
    part(this, "clear_secret").checked = false;
    part(this, "id").readOnly = base !== null;
    setProblems(this, new Map());
    this.note("idle", "");
    this.busy = false;
    this.#shape();
    this.show(base ? part(this, "name") : part(this, "id"));
  }

  /** Nothing secret stays in the page. */
  closed() {
    for (const name of ["address", "secret"]) part(this, name).value = "";
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }

  /** @returns {TargetForm} */
  get value() {
    const topics = [...part(this, "topics").children].filter((choice) => part(choice, "box").checked).map((choice) => choice.dataset.key);
    const texts = Object.fromEntries(TEXTS.map((name) => [name, part(this, name).value]));
    return /** @type {any} */ ({ ...texts, topics, enabled: part(this, "enabled").checked, clear_secret: part(this, "clear_secret").checked });
  }

  #shape() {
    const { kind, clear_secret } = this.value;
    const webhook = kind === "webhook";
    for (const name of ["url-box", "secret-box"]) show(part(this, name), webhook);
    show(part(this, "address-box"), !webhook);
    part(this, "address").placeholder = TARGET_KINDS[kind].example;
    const saved = this.base?.kind === kind ? this.base.address : null;
    sayOrHide(part(this, "address-saved"), saved ? `Saved: ${saved} with its secrets. Leave it empty to keep it.` : null);
    const signed = webhook && this.base?.has_secret === true;
    sayOrHide(part(this, "secret-saved"), signed ? "A secret is saved. Leave it empty to keep it." : "Without one, receivers cannot tell who sent it.");
    show(part(this, "clear-box"), signed);
    part(this, "secret").disabled = clear_secret;
  }

  #submit() {
    const { target, problems } = targetOf(this.value, this.base);
    this.mark(problems);
    if (problems.size === 0) wish(this, "save-target", { id: this.value.id, target });
  }
}
