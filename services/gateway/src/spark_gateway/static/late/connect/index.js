// @ts-check
// How apps connect, and the way to the owner's own chat.

import { getSettings } from "../../api-owner.js";
import { ClientGuide } from "./client-guide.js";
import { OpenChat } from "./open-chat.js";

/** @typedef {import("../../reduce-owner.js").Name} Name */

export const views = ["client-guide", "open-chat"];

/** @returns {{wishes: import("../../acts/acting.js").Wishes, asks: import("../../late.js").Asking[]}} */
export function begin() {
  return {
    wishes: {},
    asks: [{ name: /** @type {Name} */ ("settings"), ask: getSettings, every: 60_000 }],
  };
}

customElements.define("client-guide", ClientGuide);
customElements.define("open-chat", OpenChat);
