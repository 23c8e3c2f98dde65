// @ts-check
// The stream of all events, from what the gateway has in memory on; it comes back where it broke off.

import { Frames } from "./frames.js";

const AGAIN_MS = 3000;

export class Following {
  #stop = new AbortController();
  #place = "recent";

  /**
   * @param {string[]} types  Empty: all.
   * @param {{event: (event: import("./words.js").CloudEvent) => void, gap: () => void, state: (problem: string) => void}} hear
   */
  constructor(types, hear) {
    this.types = types;
    this.hear = hear;
    this.#follow();
  }

  end() {
    this.#stop.abort();
  }

  async #follow() {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#read(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.hear.state(/** @type {Error} */ (error).name === "Refused" ? /** @type {Error} */ (error).message : "The stream broke off. Trying again.");
      }
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    const query = new URLSearchParams([["after", this.#place], ...this.types.map((type) => ["type", type])]);
    const answer = await fetch(`api/events?${query}`, { headers: { accept: "text/event-stream" }, signal });
    if (!answer.ok || !answer.body) {
      const said = await answer.json().catch(() => null);
      if (answer.status === 422) this.#place = "recent"; // a place of another life of the bus
      throw Object.assign(new Error(said?.detail ?? `The answer was ${answer.status}.`), { name: "Refused" });
    }
    this.hear.state("");
    const frames = new Frames();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("ended");
      for (const frame of frames.push(value)) this.#take(frame);
    }
  }

  /** @param {import("./frames.js").Frame} frame */
  #take({ event, data, id }) {
    if (id) this.#place = id;
    if (event === "reset") this.hear.gap();
    else if (data) {
      try {
        this.hear.event(JSON.parse(data));
      } catch {
        // Half an event: the place before it is still ours, and it comes again.
      }
    }
  }
}
