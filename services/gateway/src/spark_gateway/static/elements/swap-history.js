// @ts-check
// The latest swaps and how they ended.

import { cloned, keyed, part, say, setPill, show, wish } from "../dom.js";
import { capital, count, dayTime, duration } from "../format.js";
import { isOver, phaseWord, secondsSpent } from "../phases.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../types.js").SwapView} SwapView */

const SHOWN = 8;

/** @type {Partial<Record<import("../types.js").Phase, {tone: import("../types.js").Tone, icon: string}>>} */
const LOOKS = {
  ready: { tone: "ok", icon: "ok" },
  rolled_back: { tone: "warn", icon: "restart" },
  failed: { tone: "bad", icon: "bad" },
  cancelled: { tone: "idle", icon: "idle" },
};

export class SwapHistory extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-history"));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const ended = (state.swaps?.recent ?? []).filter((swap) => isOver(swap.phase));
    show(this, ended.length > 0);
    const rows = ended.slice(0, SHOWN);
    say(part(this, "sum"), ended.length > rows.length ? `the latest ${count(rows.length)}` : "");
    keyed(part(this, "rows"), rows, (swap) => swap.id, () => this.#row(), (row, swap) => {
      row.swap = swap;
      part(row, "log").setAttribute("aria-label", `Log of the swap to ${swap.model_name}…`);
      show(part(row, "log"), !swap.dry_run);
      say(part(row, "when"), capital(dayTime(swap.finished_at ?? swap.created_at, now)));
      say(part(row, "model"), swap.model_name);
      const look = LOOKS[/** @type {SwapView} */ (swap).phase] ?? { tone: "idle", icon: "idle" };
      setPill(part(row, "result"), { ...look, word: swap.dry_run ? `${phaseWord(swap.phase)}, checked only` : phaseWord(swap.phase) });
      say(part(row, "who"), swap.requested_by);
      say(part(row, "took"), duration(secondsSpent(swap, now)));
    });
  }

  #row() {
    const row = /** @type {any} */ (cloned("t-history-row").firstElementChild);
    part(row, "log").addEventListener("click", () => wish(this, "open-log", { kind: "swap", id: row.swap.id, name: row.swap.model_name }));
    return row;
  }
}
