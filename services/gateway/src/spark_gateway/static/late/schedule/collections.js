// @ts-check
// What a reader wants of the collections of Qdrant: a snapshot of one.

import { takeSnapshot } from "./asking.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../acts/acting.js").Wishes} Wishes */

/** @param {Acting} page @returns {Wishes} */
export function collections(page) {
  const list = /** @type {import("./collection-list.js").CollectionList} */ (document.querySelector("collection-list"));
  /** @type {Set<string>} */
  const taking = new Set();

  return {
    "take-snapshot": async ({ collection }) => {
      if (taking.has(collection)) return;
      list.taking = taking.add(collection);
      page.store.dispatchEvent(new Event("change"));
      const taken = await page.attempt(() => takeSnapshot(collection));
      taking.delete(collection);
      page.store.dispatchEvent(new Event("change"));
      if (taken) page.toasts.add("ok", `There is a snapshot of ${collection}`, `${taken.snapshot.name}, on the machine of Qdrant.`);
    },
  };
}
