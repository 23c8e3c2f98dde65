// @ts-check
// A conversation with the loaded model: asked, heard piece by piece, stopped, asked again.

import { part, say, sayOrHide, show } from "../../dom.js";
import { chat } from "./asking.js";
import { Said } from "./said.js";
import { modelToAsk, numberOf, remedyFor, waitingWords, whoAnswers } from "./words.js";

/** @typedef {import("../../types.js").State} State */
/** @typedef {import("./asking.js").Message} Message */

const AT_END_PX = 24;

export class Chat {
  /** What was said, as it is sent with the next question. @type {Message[]} */
  #talk = [];
  /** @type {{stop: AbortController, said: Said, asked: number, comment: string, first: boolean}|null} */
  #running = null;
  /** @type {State|null} */
  #state = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    const message = part(root, "message");
    part(root, "form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#send();
    });
    message.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    part(root, "stop").addEventListener("click", () => this.#running?.stop.abort());
    part(root, "retry").addEventListener("click", () => this.#again());
    part(root, "clear").addEventListener("click", () => this.#clear());
  }

  /** Called with every change and every second. @param {State} state @param {number} now */
  look(state, now) {
    this.#state = state;
    const run = this.#running;
    const waits = run !== null && !run.first;
    sayOrHide(part(this.root, "waiting"), waits ? waitingWords(state, now, run.asked, run.comment) : "");
    part(this.root, "send").disabled = run !== null || !whoAnswers(state, now).can;
  }

  #send() {
    const text = part(this.root, "message").value;
    if (this.#running || part(this.root, "send").disabled) return;
    if (text.trim() === "") {
      this.#said("There is no message yet.");
      part(this.root, "message").focus();
      return;
    }
    const how = this.#how();
    if (!how) return;
    part(this.root, "message").value = "";
    this.#talk.push({ role: "user", content: text });
    this.#add(new Said("You", "you", text));
    this.#ask(how);
  }

  /** The last question once more, after it went wrong. */
  #again() {
    const how = this.#how();
    if (this.#running || !how || this.#talk.at(-1)?.role !== "user") return;
    this.#ask(how);
  }

  /** What the fields say, or null when one of them is wrong. */
  #how() {
    const temperature = numberOf(part(this.root, "temperature").value, { least: 0, most: 2, whole: false });
    const longest = numberOf(part(this.root, "longest").value, { least: 1, most: 1_000_000, whole: true });
    for (const [name, { problem }] of Object.entries({ temperature, longest })) {
      sayOrHide(part(this.root, `${name}-problem`), problem);
      part(this.root, name).setAttribute("aria-invalid", String(problem !== ""));
      if (!problem) continue;
      part(this.root, name).closest("details").open = true;
      part(this.root, name).focus();
    }
    return temperature.problem || longest.problem ? null : { temperature: temperature.value, longest: longest.value };
  }

  /** @param {{temperature: number|null, longest: number|null}} how */
  async #ask(how) {
    const state = /** @type {State} */ (this.#state);
    const who = whoAnswers(state, Date.now());
    const said = new Said(who.tone === "now" ? "Model" : who.word, "model", "");
    const run = { stop: new AbortController(), said, asked: Date.now(), comment: "", first: false };
    this.#running = run;
    this.#add(said);
    this.#busy(true);
    said.begin(who.tone === "now");
    const system = part(this.root, "system").value.trim();
    const messages = [...(system ? [/** @type {Message} */ ({ role: "system", content: system })] : []), ...this.#talk];
    let problem = null;
    let whole = false;
    try {
      whole = await chat({ model: modelToAsk(state), messages, ...how }, run.stop.signal, {
        piece: (piece) => {
          if (piece.error) problem = piece.error;
          run.first = said.heard(piece) || run.first;
          this.#follow(said.element);
        },
        comment: (text) => {
          run.comment = text;
          said.held();
        },
      });
    } catch (error) {
      const { message, name } = /** @type {Error} */ (error);
      if (!run.stop.signal.aborted) problem = { message: name === "TypeError" ? "The connection broke." : message, code: name };
    }
    if (this.#running !== run) return; // cleared meanwhile
    this.#running = null;
    this.#ended(said, { stopped: run.stop.signal.aborted, problem, whole });
  }

  /** @param {Said} said @param {{stopped: boolean, problem: {message: string, code: string}|null, whole: boolean}} how */
  #ended(said, { stopped, problem, whole }) {
    const words = said.end({ stopped, problem, cut: !stopped && !problem && !whole });
    if (said.text) this.#talk.push({ role: "assistant", content: said.text });
    else if (stopped) said.element.remove();
    this.#busy(false);
    this.#said(problem ? `${words} ${remedyFor(problem.code)}` : words, problem ? "small bad-text" : "sr"); // the rest is seen below the answer
    show(part(this.root, "retry-box"), this.#talk.at(-1)?.role === "user");
    this.#follow(said.element);
    if (document.activeElement === document.body && !this.root.hidden) part(this.root, "message").focus(); // the button that was pressed is gone
  }

  #clear() {
    this.#running?.stop.abort();
    this.#running = null;
    this.#talk = [];
    part(this.root, "talk").replaceChildren();
    show(part(this.root, "talk"), false);
    show(part(this.root, "retry-box"), false);
    this.#busy(false);
    this.#said("Cleared.", "sr");
    part(this.root, "message").focus();
  }

  /** @param {boolean} busy */
  #busy(busy) {
    show(part(this.root, "stop"), busy);
    if (busy) show(part(this.root, "retry-box"), false);
    if (busy) this.#said("Asked. The answer comes below your question.", "sr");
    if (this.#state) this.look(this.#state, Date.now());
  }

  /** @param {string} words @param {string} [look] */
  #said(words, look = "small") {
    part(this.root, "state").className = look;
    say(part(this.root, "state"), words);
  }

  /** @param {Said} said */
  #add(said) {
    show(part(this.root, "talk"), true);
    part(this.root, "talk").append(said.element);
    part(this.root, "talk").scrollTop = part(this.root, "talk").scrollHeight;
  }

  /** Stay at the end while the reader is there. @param {HTMLElement} element */
  #follow(element) {
    const talk = part(this.root, "talk");
    const grown = element.offsetHeight - Number(element.dataset.height ?? 0);
    element.dataset.height = String(element.offsetHeight);
    if (talk.scrollHeight - talk.scrollTop - talk.clientHeight - grown < AT_END_PX) talk.scrollTop = talk.scrollHeight;
  }
}
