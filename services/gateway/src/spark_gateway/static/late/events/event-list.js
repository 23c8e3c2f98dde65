// @ts-check
// Everything that happened, as it happens: chosen by kind and words, held still at will, each with all it says.

import { cloned, keyed, part, say, sayOrHide, setPill, show } from "../../dom.js";
import { count, dayTime, logTime } from "../../format.js";
import { made } from "../made.js";
import { Following } from "./following.js";
import { KINDS, fits, lineOf } from "./words.js";

/** @typedef {import("./words.js").CloudEvent} CloudEvent */

const KEPT = 2000;
const SHOWN = 100;

export class EventList extends HTMLElement {
  /** The newest last. @type {CloudEvent[]} */
  #events = [];
  /** What was there when it was held still. @type {CloudEvent[]|null} */
  #held = null;
  /** @type {Following|null} */
  #following = null;
  #missed = 0;
  #most = SHOWN;
  #due = false;
  #problem = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-events"));
    part(this, "kind").append(...KINDS.map(({ name, label }) => made("option", { value: name, text: label })));
    part(this, "kind").addEventListener("change", () => this.#begin());
    part(this, "words").addEventListener("input", () => this.#show());
    part(this, "pause").addEventListener("click", () => {
      this.#held = this.#held ? null : [...this.#events];
      this.#missed = 0;
      this.#show();
    });
    part(this, "more").addEventListener("click", () => {
      this.#most += SHOWN;
      this.#show();
    });
  }

  /** @param {import("../../types.js").View} view */
  set view({ tab }) {
    const wanted = tab === "activity" && !document.hidden;
    if (wanted && !this.#following) this.#begin();
    if (!wanted && this.#following) {
      this.#following.end();
      this.#following = null;
    }
  }

  /** From the beginning, of the kind that is chosen. */
  #begin() {
    this.#following?.end();
    this.#events = [];
    this.#held = null;
    this.#most = SHOWN;
    const kind = KINDS.find(({ name }) => name === part(this, "kind").value) ?? KINDS[0];
    this.#following = new Following(kind.types, {
      event: (event) => this.#heard(event),
      gap: () => this.#events.length > 0 && this.#told("Some events are missing here: they are not kept any more."),
      state: (problem) => this.#told(problem),
    });
    this.#show();
  }

  /** @param {string} problem */
  #told(problem) {
    this.#problem = problem;
    this.#soon();
  }

  /** @param {CloudEvent} event */
  #heard(event) {
    this.#events.push(event);
    if (this.#events.length > KEPT * 1.2) this.#events = this.#events.slice(-KEPT);
    if (this.#held) this.#missed += 1;
    this.#soon();
  }

  /** Thousands come at once at the beginning: they are shown once. */
  #soon() {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.#show();
    }, 150);
  }

  #show() {
    const now = Date.now();
    const words = part(this, "words").value;
    const found = (this.#held ?? this.#events).filter((event) => fits(event, words)).reverse();
    const shown = found.slice(0, this.#most);
    say(part(this, "pause-word"), this.#held ? "Go on" : "Pause");
    part(this, "pause").setAttribute("aria-pressed", String(this.#held !== null));
    say(part(this, "state"), this.#held ? `Held still. ${this.#missed === 0 ? "Nothing came meanwhile." : `${count(this.#missed)} came meanwhile.`}` : `${count(found.length)} ${found.length === 1 ? "event" : "events"}${words.trim() === "" ? "" : found.length === 1 ? " that fits" : " that fit"}.`);
    sayOrHide(part(this, "problem"), this.#problem);
    show(part(this, "none"), found.length === 0 && !this.#problem);
    show(part(this, "more"), found.length > shown.length);
    keyed(part(this, "rows"), shown, (event) => event.id, () => /** @type {HTMLElement} */ (cloned("t-event").firstElementChild), (row, event) => {
      say(part(row, "when"), `${dayTime(event.time, now).replace(/ \d\d:\d\d$/, "")} ${logTime(event.time)}`);
      if (row.dataset.told) return;
      row.dataset.told = "yes"; // an event never changes
      const { tone, icon, title, text } = lineOf(event);
      setPill(part(row, "pill"), { tone, icon, word: title });
      say(part(row, "text"), text);
      part(row, "details").addEventListener("toggle", () => say(part(row, "raw"), JSON.stringify(event, null, 2)), { once: true });
    });
  }
}
