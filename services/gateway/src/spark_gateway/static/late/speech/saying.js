// @ts-check
// A text goes in, a voice comes out.

import { say, show } from "../../dom.js";
import { speak, voices } from "./asking.js";
import { voiceGroups } from "./looks.js";
import { button, card, made } from "../made.js";

const HELLO = "Good morning. This is how I sound.";

/** @returns {HTMLElement} */
export function sayingCard() {
  return new Saying().card;
}

class Saying {
  #text = made("textarea", { class: "input say", id: "speech-text", rows: 4, maxlength: 20000 }, HELLO);
  #voice = made("select", { class: "select", id: "speech-voice" }, made("option", { value: "", text: "Ordinary voice" }));
  #speed = made("input", { type: "range", id: "speech-speed", min: 0.5, max: 2, step: 0.1, value: 1, oninput: () => this.#paced() });
  #pace = made("span", { class: "env", text: "1.0 ×" });
  #go = button("Say it", "pulse", { class: "btn primary", onclick: () => this.#say() });
  #stop = button("Stop", "stop", { class: "btn quiet", onclick: () => this.#ending?.abort() });
  #state = made("p", { class: "small", role: "status" });
  #player = made("audio", { controls: true, class: "player" });
  /** @type {AbortController|null} */
  #ending = null;

  constructor() {
    this.card = card("speech-say", "Hear a voice",
      made("div", { class: "field" }, made("label", { for: "speech-text", text: "Text" }), this.#text),
      made("div", { class: "form-2" },
        made("div", { class: "field" }, made("label", { for: "speech-voice", text: "Voice" }), this.#voice),
        made("div", { class: "field" }, made("label", { for: "speech-speed" }, "Speed", this.#pace), this.#speed)),
      made("div", { class: "says" }, this.#go, this.#stop), this.#state, this.#player);
    show(this.#stop, false);
    show(this.#player, false);
    this.#list();
  }

  async #list() {
    try {
      const groups = voiceGroups(await voices());
      this.#voice.append(...groups.map((group) => made("optgroup", { label: group.language || "Other" }, ...group.voices.map((voice) => made("option", { value: voice.id, text: voice.name })))));
    } catch (error) {
      say(this.#state, /** @type {Error} */ (error).message);
    }
  }

  #paced() {
    say(this.#pace, `${Number(this.#speed.value).toFixed(1)} ×`);
  }

  async #say() {
    if (this.#ending) return;
    const began = performance.now();
    this.#ending = new AbortController();
    this.#go.disabled = true;
    show(this.#stop, true);
    say(this.#state, "Speaking…");
    try {
      const sound = await speak(this.#text.value, this.#voice.value, Number(this.#speed.value), this.#ending.signal);
      URL.revokeObjectURL(this.#player.src);
      this.#player.src = URL.createObjectURL(sound);
      show(this.#player, true);
      say(this.#state, `It took ${((performance.now() - began) / 1000).toFixed(1)} s.`);
      await this.#player.play().catch(() => undefined);
    } catch (error) {
      say(this.#state, this.#ending.signal.aborted ? "Stopped." : /** @type {Error} */ (error).message);
    }
    this.#ending = null;
    this.#go.disabled = false;
    show(this.#stop, false);
  }
}
