// @ts-check
// One contribution to the conversation, as it grows.

import { copyText } from "../../elements/copy-field.js";
import { cloned, part, say, sayOrHide, show } from "../../dom.js";
import { asSentence } from "../../format.js";
import { made } from "../made.js";
import { endWords, timingFacts } from "./words.js";

export class Said {
  /** @type {HTMLElement} */
  element;
  #text = document.createTextNode("");
  #thought = document.createTextNode("");
  /** @type {string|null} */
  #finish = null;
  /** @type {import("./words.js").Timing} */
  #timing = { asked: 0, first: 0, last: 0, pieces: 0, tokens: null, held: false };

  /** @param {string} name @param {"you"|"model"} who @param {string} text */
  constructor(name, who, text) {
    this.element = /** @type {HTMLElement} */ (cloned("t-said").firstElementChild);
    this.element.dataset.who = who;
    say(part(this.element, "name"), name);
    part(this.element, "text").append(this.#text);
    part(this.element, "thought").append(this.#thought);
    this.#text.data = text;
    const copy = part(this.element, "copy");
    copy.setAttribute("aria-label", `Copy what ${name === "You" ? "you" : name} said`);
    copy.addEventListener("click", async () => {
      copy.lastChild.data = (await copyText(this.text)) ? "Copied" : "Select the text instead";
    });
    show(copy, text !== "");
  }

  get text() {
    return this.#text.data;
  }

  /** @param {boolean} held  Whether it waits for a model already. */
  begin(held) {
    this.#timing.asked = performance.now();
    this.#timing.held = held;
    part(this.element, "text").toggleAttribute("data-busy", true);
  }

  /** It waits, as the gateway says. */
  held() {
    this.#timing.held = true;
  }

  /** @param {import("./stream.js").Piece} piece @returns {boolean} whether something came */
  heard(piece) {
    this.#finish = piece.finish ?? this.#finish;
    this.#timing.tokens = piece.tokens ?? this.#timing.tokens;
    if (!piece.text && !piece.thought && !piece.tool) return false;
    const now = performance.now();
    this.#timing.first = this.#timing.first || now;
    this.#timing.last = now;
    this.#timing.pieces += 1;
    if (piece.thought) {
      this.#thought.appendData(piece.thought);
      show(part(this.element, "thinking"), true);
    }
    const words = piece.text || piece.tool;
    if (words) this.#text.appendData(this.text === "" ? words.trimStart() : words); // after its thoughts a model begins with empty lines
    return true;
  }

  /**
   * @param {{stopped: boolean, problem: {message: string, code: string}|null, cut: boolean}} how
   * @returns {string} a sentence about it
   */
  end({ stopped, problem, cut }) {
    part(this.element, "text").toggleAttribute("data-busy", false);
    show(part(this.element, "copy"), this.text !== "");
    const note = stopped ? "Stopped here." : problem ? "" : endWords(this.#finish, cut) || (this.text === "" ? "It said nothing." : "");
    sayOrHide(part(this.element, "end"), note);
    sayOrHide(part(this.element, "problem"), problem ? asSentence(problem.message) : "");
    const facts = timingFacts(this.#timing);
    show(part(this.element, "facts"), facts.length > 0);
    part(this.element, "facts").replaceChildren(...facts.map(({ label, value }) => made("div", {}, made("dt", { text: label }), made("dd", { text: value }))));
    if (problem) return asSentence(problem.message);
    const went = facts.map(({ label, value }) => `${label.toLowerCase()} ${value}`).join(", ");
    return [stopped ? "Stopped." : cut || note ? note : "Answered.", went ? asSentence(went) : ""].join(" ").trim();
  }
}
