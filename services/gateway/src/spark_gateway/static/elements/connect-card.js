// @ts-check
// Connect an app: base URL and model name; examples come with the late part beside it.

import { cloned, part, say, show } from "../dom.js";
import { nameForApps } from "../menu.js";

/** @typedef {import("../types.js").View} View */

export class ConnectCard extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-connect"));
  }

  /** @param {View} view */
  set view({ state }) {
    const { model, next } = nameForApps(state);
    part(this, "base").value = `${location.origin}/v1`;
    say(part(this, "model-label"), !state.menu ? "Model name: not known right now" : next ? "Model name, once it is ready" : model ? "Model name, the one that is loaded" : "Model name: none, no model is loaded");
    show(part(this, "model"), model !== null);
    part(this, "model").value = model ?? "";
  }
}
