// @ts-check
// The playground: chat with the loaded model, embed, search.

import { PlaygroundPanel } from "./playground-panel.js";

export const views = ["playground-panel"];

/** @returns {{wishes: import("../../acts/acting.js").Wishes, asks: []}} */
export function begin() {
  return { wishes: {}, asks: [] };
}

customElements.define("playground-panel", PlaygroundPanel);
