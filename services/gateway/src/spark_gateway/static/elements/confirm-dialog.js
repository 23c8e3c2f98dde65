// @ts-check
// Asks before something stops: the effects as a list, the safe choice focused first.

import { cloned, keyed, part, say, sayOrHide, setEffects, show } from "../dom.js";
import { Sheet } from "./sheet.js";

/**
 * @typedef {{kind: "stop"|"wait"|"keep", icon: string, what: string, how?: string}} Effect
 * @typedef {{name: string, label: string, help: string, checked: boolean}} Choice
 * @typedef {object} Question
 * @property {string} title
 * @property {{label: string, value: string, note: string}[]} [rows]
 * @property {[string, string]} [columns]  What the rows say: of what, and which value.
 * @property {Effect[]} effects
 * @property {Choice[]} [choices]
 * @property {{summary: string, choices: Choice[], command: string}} [more]
 * @property {{label: string, options: [string, string][], value: string}} [pick]  One of several, as value and word.
 * @property {string} safe
 * @property {string} go
 * @property {"primary"|"danger-fill"} tone
 * @property {string} [blocked]  Why it cannot be done, for beside the button that is off.
 *
 * @typedef {{yes: boolean, choices: Record<string, boolean>, picked: string}} Answer
 */

export class ConfirmDialog extends Sheet {
  static template = "t-dialog";

  /** @type {((answer: Answer) => void)|null} */
  waiting = null;
  /** @type {Promise<Answer>|null} */
  asked = null;

  ready() {
    part(this, "go").addEventListener("click", () => this.#answer(true));
  }

  closed() {
    this.#answer(false);
  }

  /**
   * @param {Question} question
   * @returns {Promise<Answer>} once: a second click finds nobody waiting
   */
  ask(question) {
    this.#answer(false);
    for (const name of ["choices", "more-choices"]) part(this, name).replaceChildren();
    part(this, "more").open = false;
    this.#pick(question.pick);
    this.#render(question);
    this.show(part(this, "safe"));
    this.asked = new Promise((answer) => { this.waiting = answer; });
    return this.asked;
  }

  /**
   * More is known now; what the reader ticked stays.
   * @param {Question} question
   * @param {Promise<Answer>} asked  What `ask` returned: another question may stand here by now.
   */
  amend(question, asked) {
    if (this.waiting && this.asked === asked) this.#render(question);
  }

  /** @param {Question} question */
  #render(question) {
    this.head(question.title);
    show(part(this, "rows"), (question.rows ?? []).length > 0);
    this.querySelectorAll("th").forEach((cell, index) => say(cell, (question.columns ?? ["Where", "Freed"])[index]));
    keyed(part(this, "rows-body"), question.rows ?? [], (row) => row.label, () => /** @type {HTMLElement} */ (cloned("t-dialog-row").firstElementChild), (line, row) => {
      say(part(line, "label"), row.label);
      say(part(line, "value"), row.value);
      sayOrHide(part(line, "row-note"), row.note);
    });
    setEffects(part(this, "effects"), question.effects);
    this.#choices(part(this, "choices"), question.choices ?? [], "choice box");
    this.#choices(part(this, "more-choices"), question.more?.choices ?? [], "choice");
    show(part(this, "more"), question.more !== undefined);
    say(part(this, "more-word"), question.more?.summary ?? "");
    sayOrHide(part(this, "command"), question.more?.command);
    say(part(this, "safe"), question.safe);
    part(this, "go").className = `btn ${question.tone}`;
    part(this, "go").disabled = Boolean(question.blocked);
    say(part(this, "go"), question.go);
    sayOrHide(part(this, "why"), question.blocked);
  }

  /** @param {Question["pick"]} pick */
  #pick(pick) {
    show(part(this, "pick-field"), pick !== undefined);
    say(part(this, "pick-label"), pick?.label ?? "");
    part(this, "pick").replaceChildren(...(pick?.options ?? []).map(([value, word]) => new Option(word, value, false, value === pick?.value)));
  }

  /** @param {HTMLElement} list @param {Choice[]} choices @param {string} look */
  #choices(list, choices, look) {
    show(list, choices.length > 0);
    keyed(list, choices, (choice) => choice.name, (choice) => {
      const label = /** @type {HTMLElement} */ (cloned("t-choice").firstElementChild);
      label.className = look;
      part(label, "box").checked = choice.checked;
      return label;
    }, (label, choice) => {
      say(part(label, "label"), choice.label);
      say(part(label, "help"), choice.help);
    });
  }

  /** @param {boolean} yes */
  #answer(yes) {
    const waiting = this.waiting;
    this.waiting = null;
    this.close();
    const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (this.querySelectorAll("[data-part=box]"));
    const choices = Object.fromEntries([...boxes].map((box) => [/** @type {HTMLElement} */ (box.closest("[data-key]")).dataset.key, yes && box.checked]));
    waiting?.({ yes, choices, picked: part(this, "pick").value });
  }
}
