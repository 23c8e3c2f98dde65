// @ts-check
// The settings: all fields by group, changed together, saved from one version to the next.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../dom.js";
import { setProblems } from "../forms.js";
import { changesOf, countChanges, grouped } from "../owner-settings.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../types-owner.js").SettingsView} SettingsView */
/** @typedef {import("../types-owner.js").Draft} Draft */

export class SettingsDialog extends Sheet {
  static template = "t-settings-dialog";
  /** @type {SettingsView|null} */
  settings = null;
  /** What is typed and not saved, by name. @type {Map<string, Draft>} */
  drafts = new Map();
  sent = this.drafts; // what of it is on its way

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    this.addEventListener("draft-setting", (event) => {
      const { name, draft } = /** @type {CustomEvent} */ (event).detail;
      if (draft) this.drafts.set(name, draft);
      else this.drafts.delete(name);
      this.note("idle", "");
      this.#render();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "go").disabled) this.#submit();
    });
    part(this, "discard").addEventListener("click", () => {
      this.drafts.clear();
      if (this.settings) this.know(this.settings);
    });
    part(this, "again").addEventListener("click", () => wish(this, "read-settings"));
    part(this, "transfer").addEventListener("click", () => wish(this, "open-transfer"));
  }

  begin() {
    this.head("Settings", "Changes work at once. Nothing is restarted.");
    this.drafts.clear();
    this.settings = null;
    for (const name of ["groups", "panes"]) part(this, name).replaceChildren();
    show(part(this, "again"), false);
    this.note("now", "Reading the settings.");
    this.#render();
    this.show(part(this, "transfer"));
  }

  /** What holds now; what was typed stays. @param {SettingsView} settings */
  know(settings) {
    const first = this.settings === null;
    this.settings = settings;
    setProblems(this, new Map());
    show(part(this, "again"), false);
    this.note("idle", "");
    this.#render();
    if (first) /** @type {HTMLElement|null} */ (this.querySelector("setting-field :is(input, select, textarea):not([hidden])"))?.focus();
  }

  /** What was sent holds now; what was typed since stays. @param {SettingsView} settings */
  saved(settings) {
    for (const [name, draft] of this.sent) if (this.drafts.get(name) === draft) this.drafts.delete(name);
    this.know(settings);
    this.note("ok", "Saved. It works already.");
  }

  /** @param {import("../api.js").Refusal} why */
  refused(why) {
    const conflict = why.code === "conflict";
    show(part(this, "again"), conflict || this.settings === null);
    this.notSaved(why);
    if (!conflict) return;
    this.note("bad", "Somebody else changed settings meanwhile. Read them again; what you typed stays.");
    part(this, "again").focus();
  }

  #submit() {
    const { changes, problems } = changesOf(/** @type {SettingsView} */ (this.settings), this.drafts);
    this.sent = new Map(this.drafts);
    if (problems.size > 0) this.mark(problems);
    else wish(this, "save-settings", { changes });
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").toggleAttribute("data-busy", busy);
    this.#render();
  }

  #render() {
    const { settings, drafts } = this;
    const groups = grouped(settings?.settings ?? []);
    keyed(part(this, "groups"), groups, (group) => group.name, (group) => {
      const button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", () => [...part(this, "panes").children].find((pane) => pane.dataset.key === group.name)?.querySelector("h3").focus());
      return button;
    }, (button, group) => say(button, group.name));
    keyed(part(this, "panes"), groups, (group) => group.name, () => /** @type {HTMLElement} */ (cloned("t-settings-group").firstElementChild), (pane, group) => {
      say(part(pane, "group"), group.name);
      keyed(part(pane, "fields"), group.settings, (setting) => setting.name, () => document.createElement("setting-field"), (field, setting) => {
        field.field = { setting, draft: drafts.get(setting.name) ?? null };
      });
    });
    keyed(part(this, "warnings"), settings?.warnings ?? [], (warning) => warning, () => document.createElement("li"), say);
    show(part(this, "warn-box"), (settings?.warnings ?? []).length > 0);
    const open = settings ? countChanges(settings, drafts) : 0;
    sayOrHide(part(this, "unsaved"), open > 0 ? `${open} ${open === 1 ? "change" : "changes"} not saved` : null);
    part(this, "go").disabled = open === 0 || part(this, "go").hasAttribute("data-busy");
    part(this, "discard").disabled = open === 0;
  }
}
