// @ts-check
// Messages of the bus that no part could handle, and what to do about each.

import { cloned, keyed, part, say, sayOrHide, show } from "../../dom.js";
import { ago, asSentence, count } from "../../format.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").DeadLetter} DeadLetter */

export class LetterList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-letters"));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const letters = /** @type {DeadLetter[]} */ (state.known.letters?.value?.letters ?? []);
    show(this, letters.length > 0);
    say(part(this, "sum"), `${count(letters.length)}${state.known.letters?.value?.older_before ? " and more" : ""}, in the last thirty days`);
    keyed(part(this, "list"), letters, (letter) => String(letter.number), () => /** @type {HTMLElement} */ (cloned("t-letter").firstElementChild), (item, letter) => {
      say(part(item, "sentence"), asSentence(letter.sentence));
      sayOrHide(part(item, "action"), asSentence(letter.action));
      say(part(item, "where"), `${ago(letter.at, now)}, message ${letter.message_number} of ${letter.stream}${letter.subject ? `: ${letter.subject}` : ""}`);
    });
  }
}
