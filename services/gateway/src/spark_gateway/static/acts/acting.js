// @ts-check
// What all acts share: the store, the dialogs, and one way to say that something was refused.

import { Refusal } from "../api.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {Record<string, (detail: any) => unknown>} Wishes */

export class Acting {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.dialog = /** @type {import("../elements/confirm-dialog.js").ConfirmDialog} */ (document.querySelector("confirm-dialog"));
    this.toasts = /** @type {import("../elements/toast-list.js").ToastList} */ (document.querySelector("toast-list"));
    this.main = /** @type {HTMLElement} */ (document.getElementById("main"));
  }

  get state() {
    return this.store.state;
  }

  /** @param {string} key */
  model(key) {
    return this.state.menu?.models.find((each) => each.key === key) ?? null;
  }

  /** @param {Refusal} why */
  refused(why) {
    this.toasts.add("bad", why.title, why.message);
  }

  /** @param {string} type @param {any} data */
  say(type, data) {
    this.store.say({ type, data, at: Date.now() });
  }

  /**
   * Do it, and say so when it was refused; anything else is a fault of the page and stays one.
   * @template T
   * @param {() => Promise<T>} act
   * @param {(why: Refusal) => void} [instead]  Where the refusal is shown, when not as a toast.
   * @returns {Promise<T|null>}
   */
  async attempt(act, instead = (why) => this.refused(why)) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      instead(error);
      return null;
    }
  }
}

/**
 * Ask for a dialog when the reader pauses; the answer is forgotten when another question was asked
 * meanwhile or the dialog was closed.
 * @template Q, A
 * @param {import("../elements/sheet.js").Sheet} dialog
 * @param {number} pause milliseconds
 * @param {(question: Q) => Promise<A>} ask
 * @param {(answer: A) => void} use
 * @param {(why: Refusal) => void} fail
 * @returns {(question: Q) => void}
 */
export function latest(dialog, pause, ask, use, fail) {
  let turn = 0;
  let timer = 0;
  return (question) => {
    turn += 1;
    const mine = turn;
    const here = dialog.meanwhile();
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try {
        const answer = await ask(question);
        here(() => mine === turn && use(answer));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        here(() => mine === turn && fail(error));
      }
    }, pause);
  };
}
