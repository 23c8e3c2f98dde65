// @ts-check
// All events, as they happen.

import { EventList } from "./event-list.js";

export const views = ["event-list"];

/** @returns {{wishes: import("../../acts/acting.js").Wishes, asks: []}} */
export function begin() {
  return { wishes: {}, asks: [] };
}

customElements.define("event-list", EventList);
