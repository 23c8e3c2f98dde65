// @ts-check
// Speech, to try it: the elements of that part of the page.

import { SpeechPanel } from "./speech-panel.js";

export const views = ["speech-panel"];

/** It asks by itself: what it shows is on the data plane, and may take a key of its own. */
export function begin() {
  return { wishes: {}, asks: [] };
}

customElements.define("speech-panel", SpeechPanel);
