// @ts-check
// Examples that work as they stand: this gateway's address, the loaded model, the client that one has.

import { cloned, keyed, part, say, show, wish } from "../../dom.js";
import { made } from "../made.js";
import { nameForApps } from "../../menu.js";
import { CLIENTS, addresses, isOnlyHere } from "./snippets.js";

/** @typedef {import("../../types.js").View} View */

const KEY = "sk-spark-YOUR-KEY";
const NO_KEY = "none";

/** The model that embeds, by the name under which it is asked; null while none is known. @returns {Promise<string|null>} */
async function embedder() {
  try {
    const answer = await fetch("v1/models", { signal: AbortSignal.timeout(8000) });
    const { data } = answer.ok ? await answer.json() : { data: [] };
    return data.find((/** @type {any} */ each) => each.kind === "embedding" && each.status?.value === "loaded")?.id ?? null;
  } catch {
    return null; // the usual name stays in the examples
  }
}

export class ClientGuide extends HTMLElement {
  /** @type {import("./snippets.js").Place} */
  #place = { origin: location.origin, model: "auto", key: NO_KEY, embedder: "BAAI/bge-m3" };
  /** @type {string|null} */
  #model = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-client-guide"));
    part(this, "client").append(...CLIENTS.map(({ id, label }) => made("option", { value: id, text: label })));
    for (const name of ["client", "auto"]) part(this, name).addEventListener("change", () => this.#show());
    part(this, "copy").addEventListener("click", () => wish(this, "copy-text", { text: part(this, "code").textContent }));
    part(this, "clients-box").addEventListener("toggle", async () => {
      if (!part(this, "clients-box").open) return;
      this.#place.embedder = (await embedder()) ?? this.#place.embedder;
      this.#show();
    });
    show(part(this, "here"), isOnlyHere(location.hostname));
    keyed(part(this, "addresses"), addresses(location.origin), ({ label }) => label, () => /** @type {HTMLElement} */ (cloned("t-address").firstElementChild), (row, { label, value }) => {
      say(part(row, "label"), label);
      part(row, "field").value = value;
    });
  }

  /** @param {View} view */
  set view({ state, tab }) {
    if (tab !== "home" || this.childElementCount === 0) return;
    const wanted = state.known.settings?.value?.settings.find((/** @type {any} */ each) => each.name === "API_KEYS")?.value === true;
    this.#model = nameForApps(state).model;
    this.#place.key = wanted ? KEY : NO_KEY;
    say(part(this, "key-help"), wanted ? "Keys are asked for: make one under Activity, API keys, and put it where YOUR-KEY stands." : "No key is asked for here; most apps want one all the same, and any word does.");
    show(part(this, "auto-box"), this.#model !== null);
    this.#show();
  }

  #show() {
    const client = CLIENTS.find(({ id }) => id === part(this, "client").value) ?? CLIENTS[0];
    const model = this.#model === null || part(this, "auto").checked ? "auto" : this.#model;
    say(part(this, "code"), client.code({ ...this.#place, model }));
    part(this, "code").setAttribute("aria-label", `Example for ${client.label}`);
    say(part(this, "client-help"), client.help);
  }
}
