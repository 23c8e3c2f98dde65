// @ts-check
// Advanced: the five knobs with live numbers, further flags, and the command that comes of it.

import { part, say, sayOrHide, setBar, show, wish } from "../dom.js";
import { fieldNames, problemText, setProblems } from "../forms.js";
import { count } from "../format.js";
import { changes, contextWords, isWell, memoryWords, moreMemoryWords, sharePercent, sorted, SWITCHES, tokens, turned } from "../knobs.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../types-control.js").Knobs} Knobs */
/** @typedef {import("../types-control.js").Preview} Preview */

const NO_NUMBER = { field: "knobs.max_model_len", message: "Write a number of tokens, such as 131072.", severity: /** @type {const} */ ("error"), near: [] };

export class KnobsDialog extends Sheet {
  static template = "t-knobs-dialog";
  key = "";
  /** @type {import("../types-control.js").RecipeDetail|null} */
  saved = null;
  /** What is not touched stays nobody's choice. @type {Knobs} */
  knobs = {};
  /** @type {Preview|null} */
  preview = null;
  back = false;

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", (event) => this.#turned(/** @type {HTMLElement} */ (event.target)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "save").disabled) wish(this, "save-knobs", { key: this.key, ...this.value, reset: this.back });
    });
    part(this, "test").addEventListener("click", () => wish(this, "test-knobs", { key: this.key, ...this.value }));
    part(this, "reset").addEventListener("click", () => this.#reset());
  }

  /** @param {string} key @param {string} name @param {import("../types-control.js").RecipeDetail} detail */
  begin(key, name, detail) {
    this.key = key;
    this.saved = detail;
    this.head(`Advanced: ${name}`, "Used from the next time it is loaded. The model that is running is not touched.");
    this.note("idle", "");
    show(part(this, "reset"), detail.source !== "own" && Boolean(detail.bundled_knobs));
    sayOrHide(part(this, "longest"), detail.longest_context ? ` Longest possible: ${count(detail.longest_context)}.` : "");
    this.#fill(detail.knobs, detail.flags);
    this.previewed(detail.preview);
    this.show(part(this, "max_model_len"));
  }

  /** @returns {{knobs: Knobs, flags: string[]}} */
  get value() {
    return { knobs: this.knobs, flags: part(this, "flags").value };
  }

  /** @param {Knobs} knobs @param {string[]} flags */
  #fill(knobs, flags) {
    this.knobs = { ...knobs };
    this.back = false;
    part(this, "flags").value = flags;
    part(this, "max_model_len").value = knobs.max_model_len ?? "";
    for (const name of SWITCHES) part(this, name).checked = knobs[name] === true;
  }

  /** @param {HTMLElement} control */
  #turned(control) {
    const { value, checked } = /** @type {HTMLInputElement} */ (control);
    this.knobs = turned(this.knobs, control.dataset.part ?? "", value, checked);
    this.back = false;
    this.note("idle", "");
    this.#live();
    if (!this.#noNumber) wish(this, "preview-knobs", { key: this.key, ...this.value });
  }

  #reset() {
    this.#fill(this.saved?.bundled_knobs ?? {}, []);
    this.back = true;
    this.#live();
    wish(this, "preview-knobs", { key: this.key, ...this.value });
  }

  get #noNumber() {
    return tokens(part(this, "max_model_len").value) === undefined;
  }

  /** What the swapper said about the present choice. @param {Preview} preview */
  previewed(preview) {
    this.preview = preview;
    this.#live();
    this.command(preview.launch_cmd);
  }

  #live() {
    const { preview, saved } = this;
    const percent = sharePercent(this.knobs, preview);
    const slider = part(this, "gpu_memory_utilization");
    slider.max = String(Math.max(95, percent));
    slider.value = String(percent);
    say(part(this, "share"), `${percent}\u00a0%`);
    const words = memoryWords(preview, percent);
    say(part(this, "memory"), words ? `: ${words}` : "");
    sayOrHide(part(this, "memory-more"), moreMemoryWords(preview));
    const help = preview?.memory;
    show(part(this, "memory-bar"), Boolean(help));
    if (help) setBar(part(this, "memory-bar"), help.total_bytes / 2 ** 30, (help.total_bytes / 2 ** 30) * (percent / 100), `Memory: ${words}`);
    sayOrHide(part(this, "memory-warnings"), help?.warnings.join(" "));
    say(part(this, "pages"), contextWords(this.knobs.max_model_len ?? null, preview));
    const problems = [...(preview?.problems ?? []), ...(this.#noNumber ? [NO_NUMBER] : [])];
    const found = sorted(problems, fieldNames(this), part(this, "flags").value);
    setProblems(this, found.fields);
    part(this, "flags").problems = found.flags;
    if (found.rest.length > 0) this.note(isWell(found.rest) ? "warn" : "bad", found.rest.map(problemText).join(" "));
    const open = saved ? changes(saved, this.value) : 0;
    sayOrHide(part(this, "unsaved"), open > 0 ? `${open} ${open === 1 ? "change" : "changes"} not saved` : null);
    part(this, "save").disabled = !isWell(problems) || (open === 0 && !this.back);
    part(this, "test").disabled = this.#noNumber;
  }
}
