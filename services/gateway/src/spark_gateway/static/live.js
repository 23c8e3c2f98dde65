// @ts-check
// The one live connection: a snapshot, then events. It comes back by itself and says when it is gone.

import { isAlive } from "./api.js";
import { EVENTS, takeOver } from "./early.js";
import { checkEntrance } from "./entrance.js";

const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000];
const QUIET_MS = 30000;
const SLEPT_MS = 45000;
const UNSEEN_MS = 600000;

/** @typedef {import("./store.js").Store} Store */

export class LiveLine {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    /** @type {EventSource|null} */
    this.source = null;
    this.failures = 0;
    this.timer = 0;
    this.tickedAt = Date.now();
    this.checkedAt = 0;
    addEventListener("online", () => this.open());
    addEventListener("pagehide", () => this.source?.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  /** Connect now, instead of whenever the next try is due. */
  open() {
    clearTimeout(this.timer);
    this.source?.close();
    const early = takeOver();
    const source = early?.source ?? new EventSource("api/live");
    this.source = source;
    for (const type of EVENTS) {
      source.addEventListener(type, (event) => source === this.source && this.#heard(type, event));
    }
    source.onerror = () => source === this.source && this.#lost();
    for (const event of early?.heard ?? []) this.#heard(event.type, event);
  }

  /**
   * Called every second: notices a machine that slept and a line that went dead without a word.
   * A page nobody has looked at for long gives its line back; browsers have only six per server.
   */
  tick() {
    const now = Date.now();
    const away = now - this.tickedAt;
    if (document.hidden) {
      if (away > UNSEEN_MS) this.source?.close();
      return;
    }
    const slept = away > SLEPT_MS;
    this.tickedAt = now;
    const { link, heardAt } = this.store.state;
    if (slept) this.open();
    else if (link === "live" && now - Math.max(heardAt, this.checkedAt) > QUIET_MS) this.#check(now);
  }

  /** A line that is merely quiet is renewed: its snapshot also repairs whatever was missed. @param {number} now */
  async #check(now) {
    this.checkedAt = now;
    if (await isAlive()) this.open();
    else this.#lost();
  }

  /** @param {string} type @param {MessageEvent} event */
  #heard(type, event) {
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return; // a line cut in half; the next snapshot repairs it
    }
    this.failures = 0;
    this.store.say({ type, data, at: Date.now() });
  }

  #lost() {
    this.source?.close();
    this.source = null;
    this.store.say({ type: "link", data: "lost" });
    checkEntrance();
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), wait * (0.8 + 0.4 * Math.random()));
  }
}

/**
 * The log of a swap that is over, as long as the server keeps it.
 * @param {string} id
 * @param {(type: string, data: any) => void} each
 * @returns {Promise<void>} when the log has ended
 */
export function replay(id, each) {
  return new Promise((done) => {
    const source = new EventSource(`api/swap/${encodeURIComponent(id)}/stream`);
    const end = () => {
      source.close();
      done();
    };
    source.addEventListener("swap.progress", (event) => each("swap.progress", JSON.parse(event.data)));
    source.addEventListener("swap.complete", end);
    source.addEventListener("swap.failed", end);
    source.onerror = end;
  });
}
