// @ts-check
// Texts go in, numbers come out, and how alike they are.

import { part, say, sayOrHide, show } from "../../dom.js";
import { count, duration } from "../../format.js";
import { made } from "../made.js";
import { embed, embedders } from "./asking.js";
import { likeness } from "./words.js";

const MOST = 8;
const FEW = 8;
const EXAMPLE = "The cat sleeps on the sofa.\nA kitten naps on the couch.\nThe invoice is due on Friday.";

export class Embedding {
  #asking = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    part(root, "embed-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#embed();
    });
    part(root, "embed-example").addEventListener("click", () => {
      part(root, "embed-texts").value = EXAMPLE;
      this.#embed();
    });
    part(root, "embed-go").disabled = true;
    part(root, "embed-example").disabled = true;
  }

  /** The part of the page was opened: who embeds now? */
  async opened() {
    const select = part(this.root, "embed-model");
    const before = select.value;
    try {
      const names = await embedders();
      select.replaceChildren(...names.map((name) => made("option", { value: name, text: name })));
      if (names.includes(before)) select.value = before;
      part(this.root, "embed-go").disabled = part(this.root, "embed-example").disabled = names.length === 0;
      if (!this.#asking) this.#said(names.length === 0 ? "No model that embeds is there. Set one up under Services." : "");
    } catch (error) {
      this.#said(/** @type {Error} */ (error).message, true);
    }
  }

  async #embed() {
    const texts = part(this.root, "embed-texts").value.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean);
    if (this.#asking) return;
    if (texts.length === 0 || texts.length > MOST) {
      this.#said(texts.length === 0 ? "There is no text yet." : `${count(texts.length)} texts are too many to compare; leave ${MOST}.`);
      part(this.root, "embed-texts").focus();
      return;
    }
    this.#busy(true);
    this.#said("Embedding…");
    const began = performance.now();
    try {
      const said = await embed(part(this.root, "embed-model").value, texts, AbortSignal.timeout(60_000));
      const vectors = [...said.data].sort((a, b) => a.index - b.index).map((each) => each.embedding);
      this.#show(texts, vectors);
      const took = performance.now() - began;
      this.#said(`${count(vectors.length)} ${vectors.length === 1 ? "vector" : "vectors"} of ${count(vectors[0]?.length ?? 0)} numbers in ${took < 1000 ? `${Math.round(took)}\u00a0ms` : duration(took / 1000)}.`);
    } catch (error) {
      show(part(this.root, "embed-table"), false);
      show(part(this.root, "embed-raw-box"), false);
      const late = /** @type {Error} */ (error).name === "TimeoutError";
      this.#said(late ? "It took too long. Look at Services, then try again." : /** @type {Error} */ (error).message, true);
    }
    this.#busy(false);
  }

  /** @param {string[]} texts @param {number[][]} vectors */
  #show(texts, vectors) {
    const several = vectors.length > 1;
    show(part(this.root, "embed-table"), several);
    if (several) {
      part(this.root, "embed-head").replaceChildren(made("th", { scope: "col", text: "Text" }), ...vectors.map((_, index) => made("th", { scope: "col", text: String(index + 1) })));
      part(this.root, "embed-rows").replaceChildren(...vectors.map((one, row) => made("tr", {}, made("th", { scope: "row", text: `${row + 1}. ${texts[row]}` }), ...vectors.map((two) => made("td", { text: likeness(one, two).toFixed(2) })))));
    }
    show(part(this.root, "embed-raw-box"), true);
    say(part(this.root, "embed-raw"), vectors.map((vector, index) => `${index + 1}  ${vector.slice(0, FEW).map((each) => each.toFixed(5)).join("  ")}  … ${count(vector.length)} in all`).join("\n"));
  }

  /** @param {boolean} busy  A button that is off would lose the focus. */
  #busy(busy) {
    this.#asking = busy;
    part(this.root, "embed-go").ariaDisabled = String(busy);
  }

  /** @param {string} words @param {boolean} [bad] */
  #said(words, bad = false) {
    part(this.root, "embed-state").className = bad ? "small bad-text" : "small";
    sayOrHide(part(this.root, "embed-state"), words);
  }
}
