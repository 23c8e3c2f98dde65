// @ts-check
// Reserve the Sparks, stand in line for them, or keep them longer.

import { part, say, show, wish } from "../dom.js";
import { setProblems } from "../forms.js";
import { asked, reserveProblems } from "../reserving.js";
import { Sheet } from "./sheet.js";

/** @typedef {"take"|"line"|"extend"} Mode */

export class ReserveDialog extends Sheet {
  static template = "t-reserve-dialog";
  /** @type {Mode} */
  mode = "take";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    part(this, "wait").addEventListener("change", () => this.#shape());
    form.addEventListener("input", () => setProblems(this, new Map()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "go").disabled) this.#submit();
    });
  }

  /**
   * @param {Mode} mode
   * @param {{holder: string, reason: string, minutes: number}} start
   * @param {string} other  Who has it.
   */
  begin(mode, { holder, reason, minutes }, other) {
    this.mode = mode;
    const titles = { take: "Reserve the Sparks", line: `Stand in line behind ${other}`, extend: "Keep the Sparks longer" };
    const leads = {
      take: "Only you decide what is loaded, until it ends. Chat goes on for everybody.",
      line: "You get the Sparks when it is your turn. Keep this page in view; it tells you your place.",
      extend: "Counted from now.",
    };
    this.head(titles[mode], leads[mode]);
    part(this, "holder").value = holder;
    part(this, "reason").value = reason;
    part(this, "minutes").value = String(minutes);
    part(this, "wait").checked = mode === "line";
    show(part(this, "who-box"), mode !== "extend");
    show(part(this, "reason-box"), mode !== "extend");
    show(part(this, "wait-box"), mode !== "extend");
    say(part(this, "go"), { take: "Reserve", line: "Stand in line", extend: "Keep it longer" }[mode]);
    setProblems(this, new Map());
    this.note("idle", "");
    this.busy = false;
    this.#shape();
    this.show(mode === "extend" ? part(this, "minutes") : holder ? part(this, "reason") : part(this, "holder"));
  }

  #shape() {
    show(part(this, "max-box"), this.mode !== "extend" && part(this, "wait").checked);
  }

  #submit() {
    const typed = {
      holder: part(this, "holder").value, reason: part(this, "reason").value, minutes: part(this, "minutes").value,
      wait: this.mode !== "extend" && part(this, "wait").checked, maximum: part(this, "maximum").value,
    };
    const problems = reserveProblems(typed);
    this.mark(problems);
    if (problems.size === 0) wish(this, "reserve", { wanted: asked(typed) });
  }

  /** While it is asked for. @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }

  /** Somebody was faster. @param {string} why */
  taken(why) {
    this.note("warn", `${why} Tick “Stand in line” to wait for it.`);
    part(this, "wait").focus();
  }
}
