// @ts-check
// A schedule as a form: what, when, in which zone, what if it comes late.

import { cloned, keyed, part, say, setPill, show, wish } from "../../dom.js";
import { setProblems } from "../../forms.js";
import { formOf, scheduleOf } from "./schedule-form.js";
import { KINDS } from "./scheduling.js";
import { Sheet } from "../../elements/sheet.js";

/** @typedef {import("../../types-owner.js").PutSchedule} PutSchedule */
/** @typedef {import("./schedule-form.js").Form} Form */

const TEXTS = /** @type {const} */ (["id", "name", "kind", "when", "cron", "every", "at", "timezone", "duration", "model", "collection", "keep", "owner", "remark", "within", "missed_after"]);
const BOXES = /** @type {const} */ (["enabled", "make_up"]);

export class ScheduleDialog extends Sheet {
  static template = "t-schedule-dialog";
  /** @type {PutSchedule|null} */
  base = null;

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    part(this, "kind").append(...Object.entries(KINDS).map(([kind, words]) => new Option(words, kind)));
    form.addEventListener("input", () => this.#changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "go").disabled) this.#submit();
    });
  }

  /**
   * @param {PutSchedule|null} base  Null: a new one.
   * @param {{models: {key: string, name: string}[], owner: string, next: string[]}} around
   */
  begin(base, { models, owner, next }) {
    this.base = base;
    this.head(base ? `Change ${base.name ?? base.id}` : "Add to the schedule", "There is no way to run a command here: other programs only say what they will run.");
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    const form = formOf(base, zone, owner);
    const keys = models.some((model) => model.key === form.model) || form.model === "" ? models : [...models, { key: form.model, name: form.model }];
    keyed(part(this, "model"), [{ key: "", name: "None" }, ...keys], (model) => model.key, () => document.createElement("option"), (option, model) => {
      option.value = model.key;
      say(option, model.name);
    });
    for (const name of TEXTS) part(this, name).value = form[name];
    for (const name of BOXES) part(this, name).checked = form[name];
    part(this, "id").readOnly = base !== null;
    this.#shape();
    this.ran([]);
    this.saved(next, "");
    this.busy = false;
    this.show(base ? part(this, "name") : part(this, "id"));
  }

  /** The next runs, as the coordinator says them. @param {string[]} next @param {string} [note] */
  saved(next, note = "Saved.") {
    setProblems(this, new Map());
    const runs = next.length > 0 ? `Next: ${next.join(", ")}.` : "";
    this.note(note ? "ok" : "idle", `${note} ${runs}`.trim());
    say(part(this, "later"), note ? "Done" : "Not now");
  }

  /** How it went, newest first. @param {{key: string, pill: import("./scheduling.js").Pill, words: string, message: string}[]} runs */
  ran(runs) {
    show(part(this, "runs-box"), runs.length > 0);
    keyed(part(this, "runs"), runs, (run) => run.key, () => /** @type {HTMLElement} */ (cloned("t-run").firstElementChild), (item, run) => {
      setPill(part(item, "pill"), run.pill);
      say(part(item, "words"), run.words);
      say(part(item, "message"), run.message);
    });
  }

  /** It stands from now on; saving again changes it. @param {PutSchedule} schedule */
  stands(schedule) {
    this.base = schedule;
    part(this, "id").readOnly = true;
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }

  /** @returns {Form} */
  get value() {
    const texts = Object.fromEntries(TEXTS.map((name) => [name, part(this, name).value]));
    return /** @type {any} */ ({ ...texts, ...Object.fromEntries(BOXES.map((name) => [name, part(this, name).checked])) });
  }

  #changed() {
    setProblems(this, new Map());
    this.note("idle", "");
    this.#shape();
  }

  /** Only what belongs to the kind and to the way of repeating is there. */
  #shape() {
    const { kind, when, make_up } = this.value;
    for (const name of ["cron", "every", "at"]) show(part(this, `${name}-box`), name === when);
    show(part(this, "model-box"), kind === "outside" || kind === "swap" || kind === "warm");
    for (const name of ["collection", "keep"]) show(part(this, `${name}-box`), kind === "snapshot");
    show(part(this, "missed-box"), kind === "outside");
    show(part(this, "late-box"), kind !== "outside");
    show(part(this, "within-box"), make_up);
  }

  #submit() {
    const { schedule, problems } = scheduleOf(this.value, this.base);
    this.mark(problems);
    if (problems.size === 0) wish(this, "save-schedule", { schedule });
  }
}
