// @ts-check
// One setting: its value, where it comes from, and what the reader did to it and did not save yet.

import { cloned, part, say, sayOrHide, setPill, show, wish } from "../dom.js";
import { isIdle, sourcePill, textOf } from "../owner-settings.js";

/** @typedef {import("../types-owner.js").SettingView} SettingView */
/** @typedef {import("../types-owner.js").Draft} Draft */

/** What a phone offers to type with. @type {Partial<Record<import("../types-owner.js").SettingView["kind"], string>>} */
const KEYBOARDS = { integer: "numeric", number: "decimal", url: "url" };

export class SettingField extends HTMLElement {
  /** @type {SettingView|null} */
  now = null;

  /** @param {{setting: SettingView, draft: Draft|null}} field */
  set field({ setting, draft }) {
    const before = this.now;
    this.now = setting;
    if (!before) this.#build(setting);
    const box = /** @type {HTMLElement} */ (this.firstElementChild);
    box.dataset.field = setting.name;
    say(part(this, "label"), setting.label);
    say(part(this, "name"), setting.name);
    sayOrHide(part(this, "unit"), setting.unit);
    sayOrHide(part(this, "help"), setting.help);
    setPill(part(this, "source"), sourcePill(setting));
    if (setting.kind === "secret") this.#secret(setting, draft);
    else this.#plain(setting, draft);
  }

  /** @param {SettingView} setting */
  #build(setting) {
    this.append(cloned(setting.kind === "secret" ? "t-setting-secret" : "t-setting"));
    const control = this.#control(setting);
    control.id = `setting-${setting.name}`;
    /** @type {HTMLLabelElement} */ (this.querySelector("label")).htmlFor = control.id;
    part(this, "help").id = `${control.id}-help`;
    control.setAttribute("aria-describedby", `${control.id}-help`);
    control.addEventListener("input", () => this.#typed(control));
    const presses = setting.kind === "secret"
      ? { set: { kind: "secret", text: "" }, clear: { kind: "clear" }, undo: null }
      : { back: { kind: "reset" }, undo: null };
    for (const [name, draft] of Object.entries(presses)) {
      part(this, name).addEventListener("click", () => {
        wish(this, "draft-setting", { name: setting.name, draft });
        const first = /** @type {HTMLElement|null} */ (this.querySelector("input:not([hidden]), textarea, select, button:not([hidden])"));
        if (document.activeElement === document.body || !this.contains(document.activeElement) || document.activeElement?.closest("[hidden]")) first?.focus();
      });
    }
  }

  /** @param {SettingView} setting @returns {HTMLInputElement|HTMLSelectElement|HTMLTextAreaElement} */
  #control(setting) {
    if (setting.kind === "secret") return part(this, "control");
    const tag = setting.kind === "choice" ? "select" : setting.kind === "list" ? "textarea" : "input";
    const control = /** @type {any} */ (document.createElement(tag));
    control.dataset.part = "control";
    control.className = tag === "select" ? "select" : setting.kind === "flag" ? "" : "input";
    if (setting.kind === "flag") control.type = "checkbox";
    else if (tag === "input") Object.assign(control, { autocomplete: "off", spellcheck: false, inputMode: KEYBOARDS[setting.kind] ?? "text" });
    if (tag === "textarea") control.rows = 3;
    for (const choice of setting.choices) control.append(new Option(choice, choice));
    part(this, "place").prepend(control);
    return control;
  }

  /** @param {any} control */
  #typed(control) {
    const setting = /** @type {SettingView} */ (this.now);
    const draft = setting.kind === "flag" ? { kind: "flag", on: control.checked }
      : { kind: setting.kind === "secret" ? "secret" : "value", text: control.value };
    wish(this, "draft-setting", { name: setting.name, draft });
  }

  /** @param {SettingView} setting @param {Draft|null} draft */
  #plain(setting, draft) {
    const control = part(this, "control");
    const resets = draft?.kind === "reset";
    control.disabled = resets;
    if (setting.kind === "flag") control.checked = draft?.kind === "flag" ? draft.on : Boolean(setting.value);
    else {
      const text = draft?.kind === "value" ? draft.text : textOf(setting.value);
      if (control.value !== text) control.value = text;
      if (setting.kind !== "choice") control.placeholder = textOf(setting.default);
    }
    show(part(this, "back"), setting.source === "owner" && !draft);
    show(part(this, "undo"), draft !== null && !isIdle(setting, draft));
    sayOrHide(part(this, "will"), resets ? "When saved: the environment's value, else the default." : null);
  }

  /** @param {SettingView} setting @param {Draft|null} draft */
  #secret(setting, draft) {
    const control = part(this, "control");
    const typing = draft?.kind === "secret";
    show(control, typing);
    const text = draft?.kind === "secret" ? draft.text : "";
    if (control.value !== text) control.value = text;
    setPill(part(this, "state"), setting.is_set ? { tone: "ok", icon: "key", word: "Saved" } : { tone: "idle", icon: "idle", word: "Not set" });
    say(part(this, "set"), setting.is_set ? "Replace…" : "Set…");
    show(part(this, "set"), !draft);
    show(part(this, "clear"), !draft && setting.is_set && setting.source === "owner");
    show(part(this, "undo"), draft !== null);
    sayOrHide(part(this, "will"), draft?.kind === "clear" ? "Removed when saved." : null);
  }
}
