// @ts-check
// Words go in, what the collections hold about them comes out.

import { cloned, keyed, part, say, sayOrHide, show } from "../../dom.js";
import { count } from "../../format.js";
import { made } from "../made.js";
import { collections, find } from "./asking.js";
import { payloadText } from "./words.js";

const HITS = 10;

export class Finding {
  #asking = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    part(root, "find-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#find();
    });
    part(root, "find-go").disabled = true;
    show(part(root, "hits"), false);
    show(part(root, "find-degraded"), false);
  }

  /** The part of the page was opened: what can be searched now? */
  async opened() {
    const select = part(this.root, "find-collection");
    const before = select.value;
    try {
      const found = (await collections()).collections;
      select.replaceChildren(...found.map(({ name, points }) => made("option", { value: name, text: points === null ? name : `${name}, ${count(points)} points` })));
      if (found.some(({ name }) => name === before)) select.value = before;
      part(this.root, "find-go").disabled = found.length === 0;
      if (!this.#asking) this.#said(found.length === 0 ? "Qdrant has no collection yet: an app makes one and puts points into it." : "");
    } catch (error) {
      this.#said(/** @type {Error} */ (error).message, true);
    }
  }

  async #find() {
    const query = part(this.root, "find-query").value.trim();
    if (this.#asking) return;
    if (query === "") {
      this.#said("Say first what you look for.");
      part(this.root, "find-query").focus();
      return;
    }
    this.#busy(true);
    this.#said("Searching…");
    try {
      this.#show(await find({ collection: part(this.root, "find-collection").value, query, mode: part(this.root, "find-mode").value, limit: HITS, rerank: part(this.root, "find-rerank").checked }));
    } catch (error) {
      show(part(this.root, "hits"), false);
      show(part(this.root, "find-degraded"), false);
      this.#said(/** @type {Error} */ (error).message, true);
    }
    this.#busy(false);
  }

  /** @param {any} answer */
  #show({ hits, degraded, seconds, reranked }) {
    show(part(this.root, "find-degraded"), degraded.length > 0);
    part(this.root, "find-degraded").replaceChildren(...degraded.map((/** @type {any} */ each) => made("li", { text: each.sentence })));
    show(part(this.root, "hits"), hits.length > 0);
    part(this.root, "hits").replaceChildren();
    keyed(part(this.root, "hits"), hits, (/** @type {any} */ hit) => String(hit.id), () => /** @type {HTMLElement} */ (cloned("t-hit").firstElementChild), (item, hit) => {
      sayOrHide(part(item, "text"), payloadText(hit.payload) || "It has no payload.");
      const again = typeof hit.rerank_score === "number" ? `, relevance ${hit.rerank_score.toFixed(3)}` : "";
      say(part(item, "scores"), `${hit.id} · score ${hit.score.toFixed(3)}${again}`);
      say(part(item, "raw"), JSON.stringify(hit.payload, null, 2) ?? "");
    });
    const spent = (seconds.embed + seconds.search + (seconds.rerank ?? 0)) * 1000;
    const found = hits.length === 0 ? "Nothing was found" : `${count(hits.length)} found`;
    this.#said(`${found} in ${Math.round(spent)}\u00a0ms${reranked ? ", put in order by the reranker" : ""}.`);
  }

  /** @param {boolean} busy  A button that is off would lose the focus. */
  #busy(busy) {
    this.#asking = busy;
    part(this.root, "find-go").ariaDisabled = String(busy);
  }

  /** @param {string} words @param {boolean} [bad] */
  #said(words, bad = false) {
    part(this.root, "find-state").className = bad ? "small bad-text" : "small";
    sayOrHide(part(this.root, "find-state"), words);
  }
}
