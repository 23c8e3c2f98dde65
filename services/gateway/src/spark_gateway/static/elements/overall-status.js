// @ts-check
// The sentence in the top bar: is all well, and may I swap.

import { cloned, part, say, sayOrHide, setPill } from "../dom.js";
import { etaSentence, secondsLeft } from "../phases.js";

/** @typedef {import("../types.js").View} View */

export class OverallStatus extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-overall"));
  }

  /** @param {View} view */
  set view({ state, verdict, now }) {
    const { tone, icon, title, text } = verdict.overall;
    setPill(part(this, "pill"), { tone, icon, word: title });
    say(part(this, "text"), text);
    const current = state.link === "live" ? state.swaps?.current : null;
    const left = current ? secondsLeft(current, state.etaAt, now) : null;
    // Outside of the live region: nobody wants to hear every second.
    sayOrHide(part(this, "eta"), current && left !== null ? etaSentence(left, current) : null);
  }
}
