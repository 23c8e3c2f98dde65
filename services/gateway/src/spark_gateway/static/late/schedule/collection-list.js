// @ts-check
// The collections of Qdrant, and a button for a snapshot of each.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../../dom.js";
import { count } from "../../format.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").CollectionView} CollectionView */

export class CollectionList extends HTMLElement {
  /** Names of the collections of which a snapshot is taken now. @type {ReadonlySet<string>} */
  taking = new Set();

  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-collections"));
  }

  /** @param {View} view */
  set view({ state }) {
    const asked = state.known.collections;
    const views = /** @type {CollectionView[]} */ (asked?.value?.collections ?? []);
    show(this, Boolean(asked));
    sayOrHide(part(this, "trouble"), asked?.problem);
    show(part(this, "none"), !asked?.problem && views.length === 0);
    keyed(part(this, "list"), views, (view) => view.name, (view) => {
      const item = /** @type {HTMLElement} */ (cloned("t-collection-row").firstElementChild);
      part(item, "take").addEventListener("click", () => wish(this, "take-snapshot", { collection: view.name }));
      return item;
    }, (item, view) => {
      const taking = this.taking.has(view.name);
      say(part(item, "name"), view.name);
      sayOrHide(part(item, "points"), view.points === null || view.points === undefined ? null : `${count(view.points)} ${view.points === 1 ? "point" : "points"}`);
      sayOrHide(part(item, "problem"), view.problem);
      const take = part(item, "take");
      take.disabled = state.link !== "live" || taking;
      say(take, taking ? "Taking a snapshot" : "Take a snapshot");
      take.setAttribute("aria-label", `${taking ? "Taking" : "Take"} a snapshot of ${view.name}`);
    });
  }
}
