// @ts-check
// A recording goes in, by drop, choice or microphone; who said what comes out.

import { icon, keyed, say, show } from "../../dom.js";
import { hear } from "./asking.js";
import { blockLooks, heardWords } from "./looks.js";
import { button, card, made } from "../made.js";
import { Recorder } from "./recorder.js";

/** @returns {HTMLElement} */
export function hearingCard() {
  return new Hearing().card;
}

class Hearing {
  #file = made("input", { type: "file", class: "sr", id: "speech-file", accept: "audio/*,video/*", onchange: () => this.#take(this.#file.files?.[0]) });
  #record = button("Record", "mic", { onclick: () => this.#recorder.toggle() });
  #cancel = button("Cancel", "x", { class: "btn quiet", onclick: () => this.#stop?.abort() });
  #drop = made("div", { class: "drop" }, this.#file, made("label", { for: "speech-file", class: "btn primary" }, icon("folder"), made("span", { text: "Choose a recording" })), this.#record, this.#cancel, made("p", { class: "small soft", text: "or drop it here. It stays in the house, and is gone when you have the words." }));
  #state = made("p", { class: "small", role: "status" });
  #player = made("audio", { controls: true, class: "player" });
  #list = made("ol", { class: "transcript" });
  #recorder = new Recorder((words) => this.#said(words), (recording) => this.#take(recording), (on) => this.#recording(on));
  /** @type {AbortController|null} */
  #stop = null;

  constructor() {
    this.card = card("speech-hear", "Hear a recording", this.#drop, this.#state, this.#player, this.#list);
    for (const [type, over] of /** @type {[string, boolean][]} */ ([["dragover", true], ["dragleave", false], ["drop", false]])) {
      this.#drop.addEventListener(type, (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        this.#drop.toggleAttribute("data-over", over);
        if (type === "drop") this.#take(event.dataTransfer?.files[0]);
      });
    }
    for (const element of [this.#player, this.#list, this.#cancel]) show(element, false);
    if (!this.#recorder.possible) {
      this.#record.disabled = true;
      say(this.#state, "Recording needs this page over https, or on this machine itself.");
    }
  }

  /** @param {boolean} on */
  #recording(on) {
    say(this.#record.lastElementChild, on ? "Stop and transcribe" : "Record");
    this.#record.setAttribute("aria-pressed", String(on));
  }

  /** @param {Blob|undefined} recording */
  async #take(recording) {
    if (!recording || this.#stop) return;
    this.#stop = new AbortController();
    URL.revokeObjectURL(this.#player.src);
    this.#player.src = URL.createObjectURL(recording);
    show(this.#player, true);
    show(this.#list, false);
    show(this.#cancel, true);
    this.#said("Listening…");
    try {
      this.#heard(await hear(recording, recording instanceof File ? recording.name : "recording.webm", this.#stop.signal));
    } catch (error) {
      this.#said(this.#stop.signal.aborted ? "Cancelled." : String(/** @type {Error} */ (error).message));
    }
    this.#stop = null;
    this.#file.value = "";
    show(this.#cancel, false);
  }

  /** @param {any} heard */
  #heard(heard) {
    const blocks = blockLooks(heard.segments);
    this.#said(blocks.length === 0 ? "No words were heard." : heardWords(heard));
    show(this.#list, blocks.length > 0);
    this.#list.replaceChildren();
    keyed(this.#list, blocks, (block) => block.key, () => made("li"), (item, block) => {
      item.dataset.voice = String(block.voice);
      item.toggleAttribute("data-unsure", block.unsure);
      const at = made("button", { type: "button", class: "at", "aria-label": `Play from ${block.at}`, text: block.at, onclick: () => this.#play(block.seconds) });
      const sure = block.sure ? made("span", { class: "help", text: block.unsure ? `${block.sure} sure, perhaps somebody else` : `${block.sure} sure` }) : null;
      item.replaceChildren(made("p", { class: "who" }, made("b", { text: block.who }), at, ...(sure ? [sure] : [])), made("p", { text: block.text }));
    });
  }

  /** @param {number} seconds */
  #play(seconds) {
    this.#player.currentTime = seconds;
    this.#player.play().catch(() => this.#said("This browser cannot play that kind of recording."));
  }

  /** @param {string} words */
  #said(words) {
    say(this.#state, words);
  }
}
