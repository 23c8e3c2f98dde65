// @ts-check
// Who had the Sparks, how long, how much of it idle, and who waited for them meanwhile.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../../dom.js";
import { asSentence, count, duration } from "../../format.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").Accountability} Accountability */

/** @param {number} minutes */
const time = (minutes) => (minutes > 0 ? duration(Math.max(1, Math.round(minutes)) * 60) : "none");

export class AccountTable extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-accounts"));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-days]");
      if (!(button instanceof HTMLElement)) return;
      for (const each of this.querySelectorAll("[data-days]")) each.setAttribute("aria-pressed", String(each === button));
      wish(this, "show-accounts", { days: Number(button.dataset.days) });
    });
  }

  /** @param {View} view */
  set view({ state }) {
    const found = /** @type {Accountability|null} */ (state.known.accounts?.value ?? null);
    show(this, found !== null);
    if (!found) return;
    show(part(this, "none"), found.holders.length === 0);
    show(part(this, "table"), found.holders.length > 0);
    sayOrHide(part(this, "free"), found.free_minutes > 0 ? `Nobody had them for ${time(found.free_minutes)}.` : null);
    keyed(part(this, "problems"), found.problems ?? [], (problem) => problem, () => document.createElement("li"), (item, problem) => say(item, asSentence(problem)));
    keyed(part(this, "rows"), found.holders, (each) => each.holder, () => /** @type {HTMLElement} */ (cloned("t-account-row").firstElementChild), (row, each) => {
      say(part(row, "holder"), each.holder);
      say(part(row, "held"), time(each.held_minutes));
      say(part(row, "idle"), time(each.idle_minutes));
      say(part(row, "swaps"), count(each.swaps));
      say(part(row, "imposed"), time(each.imposed_minutes));
    });
  }
}
