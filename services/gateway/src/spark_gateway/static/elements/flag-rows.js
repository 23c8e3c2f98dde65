// @ts-check
// The free list of vLLM flags: one row each, with what is wrong with it and what may have been meant.

import { cloned, part, say, sayOrHide, show } from "../dom.js";
import { problemText } from "../forms.js";
import { joinFlag, splitFlag } from "../knobs.js";

/** @typedef {import("../types-control.js").FlagHelp} FlagHelp */
/** @typedef {import("../types-control.js").FieldProblem} FieldProblem */

export class FlagRows extends HTMLElement {
  /** @type {Map<string, FlagHelp>} */
  help = new Map();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-flags"));
    part(this, "add").addEventListener("click", () => {
      part(this.#add(""), "flag").focus();
    });
  }

  /** @param {FlagHelp[]} flags */
  set known(flags) {
    this.help = new Map(flags.map((flag) => [flag.flag, flag]));
    part(this, "known").replaceChildren(...flags.map((flag) => {
      const option = document.createElement("option");
      option.value = flag.flag;
      option.label = flag.help;
      return option;
    }));
    for (const row of this.#rows) this.#explain(row);
  }

  /** One `--flag` or `--flag=value` each. @returns {string[]} */
  get value() {
    return this.#rows.map((row) => joinFlag({ flag: part(row, "flag").value, value: part(row, "value").value })).filter(Boolean);
  }

  set value(flags) {
    part(this, "rows").replaceChildren();
    for (const flag of flags) this.#add(flag);
  }

  /** @param {Map<string, FieldProblem[]>} problems by flag */
  set problems(problems) {
    for (const row of this.#rows) {
      const mine = problems.get(part(row, "flag").value.trim()) ?? [];
      const line = part(row, "problem");
      show(line, mine.length > 0);
      line.className = mine.some((problem) => problem.severity === "error") ? "help bad row" : "help warn row";
      const near = [...new Set(mine.flatMap((problem) => problem.near))].slice(0, 3);
      line.replaceChildren(mine.map(problemText).join(" "), ...near.map((flag) => this.#suggestion(row, flag)));
      part(row, "flag").setAttribute("aria-invalid", String(mine.some((problem) => problem.severity === "error")));
    }
  }

  /** @returns {HTMLElement[]} */
  get #rows() {
    return /** @type {HTMLElement[]} */ ([...part(this, "rows").children]);
  }

  /** @param {string} flag */
  #add(flag) {
    const row = /** @type {HTMLElement} */ (cloned("t-flag").firstElementChild);
    const { flag: name, value } = splitFlag(flag);
    part(row, "flag").value = name;
    part(row, "value").value = value;
    part(row, "flag").addEventListener("input", () => this.#explain(row));
    part(row, "remove").addEventListener("click", () => {
      const next = /** @type {HTMLElement|null} */ (row.nextElementSibling ?? row.previousElementSibling);
      row.remove();
      (next ? part(next, "flag") : part(this, "add")).focus();
      this.#told();
    });
    part(this, "rows").append(row);
    show(part(row, "problem"), false);
    this.#explain(row);
    return row;
  }

  /** @param {HTMLElement} row */
  #explain(row) {
    const help = this.help.get(part(row, "flag").value.trim());
    const choices = help && help.choices.length > 0 ? ` One of ${help.choices.join(", ")}.` : "";
    sayOrHide(part(row, "flag-help"), help ? `${help.help}${choices}`.trim() : null);
    part(row, "value").disabled = help?.kind === "switch" && part(row, "value").value === "";
  }

  /** @param {HTMLElement} row @param {string} flag */
  #suggestion(row, flag) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn";
    say(button, `Use ${flag}`);
    button.addEventListener("click", () => {
      part(row, "flag").value = flag;
      this.#explain(row);
      part(row, "value").focus();
      this.#told();
    });
    return button;
  }

  #told() {
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
