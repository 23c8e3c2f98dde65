// @ts-check
// Connect an app: base URL, model name and an example that works as it stands.

import { cloned, part, say, show, wish } from "../dom.js";
import { loadedModel } from "../menu.js";
import { isChatAway } from "../phases.js";

/** @typedef {import("../types.js").View} View */

/** @param {string} base @param {string} model */
function example(base, model) {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }).replaceAll("'", "'\\''");
  return `curl ${base}/chat/completions \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

export class ConnectCard extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-connect"));
    part(this, "copy-curl").addEventListener("click", () => wish(this, "copy-text", { text: part(this, "curl").textContent }));
  }

  /** @param {View} view */
  set view({ state }) {
    const base = `${location.origin}/v1`;
    const { runtime } = state.menu ?? {};
    const serves = runtime?.state === "serving" || runtime?.state === "degraded";
    const swap = state.swaps?.current;
    const next = swap && isChatAway(swap.phase) && swap.phase !== "rolling_back"
      ? state.menu?.models.find((each) => each.key === swap.model)?.served_name
      : null;
    const model = next ?? (serves ? runtime?.served_name ?? loadedModel(state.menu)?.served_name ?? null : null);
    part(this, "base").value = base;
    say(part(this, "model-label"), !state.menu ? "Model name: not known right now" : next ? "Model name, once it is ready" : model ? "Model name, the one that is loaded" : "Model name: none, no model is loaded");
    show(part(this, "model"), model !== null);
    part(this, "model").value = model ?? "";
    say(part(this, "curl"), example(base, model ?? "MODEL"));
  }
}
