// @ts-check
// Asks before something stops: the effects as a list, the safe choice focused first.

import { cloned, part, say, setIcon, show } from "../dom.js";

/**
 * @typedef {{kind: "stop"|"wait"|"keep", icon: string, what: string, how?: string}} Effect
 * @typedef {object} Question
 * @property {string} title
 * @property {Effect[]} effects
 * @property {{label: string, help: string, checked: boolean}} [choice]
 * @property {string} safe
 * @property {string} go
 * @property {"primary"|"danger-fill"} tone
 */

export class ConfirmDialog extends HTMLElement {
  /** @type {HTMLDialogElement|null} */
  dialog = null;
  /** @type {((answer: {yes: boolean, choice: boolean}) => void)|null} */
  waiting = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-dialog"));
    this.dialog = /** @type {HTMLDialogElement} */ (this.firstElementChild);
    for (const name of ["close", "safe"]) part(this, name).addEventListener("click", () => this.#answer(false));
    part(this, "go").addEventListener("click", () => this.#answer(true));
    this.dialog.addEventListener("close", () => this.#answer(false));
  }

  /**
   * @param {Question} question
   * @returns {Promise<{yes: boolean, choice: boolean}>} once: a second click finds nobody waiting
   */
  ask(question) {
    this.#answer(false);
    say(part(this, "title"), question.title);
    part(this, "effects").replaceChildren(...question.effects.map((effect) => {
      const item = /** @type {HTMLElement} */ (cloned("t-effect").firstElementChild);
      item.className = effect.kind;
      setIcon(/** @type {Element} */ (item.firstElementChild), effect.icon);
      say(part(item, "what"), effect.what);
      say(part(item, "how"), effect.how ?? "");
      return item;
    }));
    show(part(this, "choice"), question.choice !== undefined);
    part(this, "choice-box").checked = question.choice?.checked ?? false;
    say(part(this, "choice-label"), question.choice?.label ?? "");
    say(part(this, "choice-help"), question.choice?.help ?? "");
    say(part(this, "safe"), question.safe);
    part(this, "go").className = `btn ${question.tone}`;
    say(part(this, "go"), question.go);
    this.dialog?.showModal();
    part(this, "safe").focus();
    return new Promise((answer) => {
      this.waiting = answer;
    });
  }

  /** @param {boolean} yes */
  #answer(yes) {
    const waiting = this.waiting;
    this.waiting = null;
    if (this.dialog?.open) this.dialog.close();
    waiting?.({ yes, choice: yes && part(this, "choice-box").checked });
  }
}
