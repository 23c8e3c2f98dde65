// @ts-check
// Keeps what this tab holds true: says that it still waits, takes up its turn, notices the end.

import { acquireLease, getLease } from "../api-lease.js";
import { forget, holding, renumbered } from "../holding.js";
import { stillMine } from "../reduce-lease.js";
import { granted, look } from "./reserving.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("../types-lease.js").LeaseView} LeaseView */

/** A waiter is heard of three times in the time that it has. */
const PER_WINDOW = 3;
const AT_LEAST_MS = 1000;
/** A place is lost by waiting for an answer that never comes. */
const PATIENCE_MS = 5000;

export class Staying {
  #asking = false;
  #again = false;
  #soon = false;
  #askedAt = 0;
  #nextAt = 0;

  /** @param {Acting} page */
  constructor(page) {
    this.page = page;
  }

  /** What was held before a reload is asked about at once. */
  begin() {
    const mine = holding();
    if (!mine) return;
    this.page.say("holding", mine);
    this.#ask();
  }

  /** Called every second. @param {number} now */
  tick(now) {
    const mine = this.page.state.holding;
    if (!mine || now < this.#askedAt + AT_LEAST_MS) return;
    if (this.#soon || (mine.state === "waiting" && now >= this.#nextAt)) this.#ask();
  }

  /** What the server told. @param {string} type @param {any} data */
  told(type, data) {
    const mine = this.page.state.holding;
    if (!mine) return;
    if ((type === "lock.granted" || type === "lock.dropped") && data.ticket === mine.ticket) this.#ask();
    const { lease } = this.page.state;
    if ((type === "lease" || type === "snapshot") && lease && !stillMine(mine, lease)) this.#soon = true;
  }

  /** What is told while an answer is under way may be newer than the answer: then it is asked once more. */
  async #ask() {
    this.#again = true;
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#look();
      }
    } finally {
      this.#asking = false;
    }
  }

  /** One question; without an answer the next one follows soon. */
  async #look() {
    this.#soon = false;
    this.#askedAt = Date.now();
    this.#nextAt = 0;
    const lease = await this.page.attempt(() => getLease(PATIENCE_MS), () => {});
    const mine = holding();
    if (!mine || !lease || !(await this.#judge(lease, mine))) return;
    this.#nextAt = Date.now() + Math.max(AT_LEAST_MS, (mine.seenWithin * 1000) / PER_WINDOW);
  }

  /**
   * @param {LeaseView} lease  As the one who shows the token sees it.
   * @param {import("../types-lease.js").Holding} mine
   * @returns {Promise<boolean>} whether it is settled: a grant that could not be taken up is not
   */
  async #judge(lease, mine) {
    this.page.say("lease", lease);
    const yours = lease.yours ?? null;
    if (mine.state === "held") {
      if (yours !== "lease") this.#over("Your reservation is over", lease.state === "free" ? "Nobody has the Sparks now." : "");
      else if (lease.epoch !== mine.epoch) this.page.say("holding", renumbered(lease.epoch));
    } else if (yours === null) {
      this.#over("You are not in line any more", "Stand in line again if you still want the Sparks.");
    } else if (lease.state === "granted" || lease.state === "free" || yours === "lease") {
      const { holder, reason, ttl_seconds } = mine;
      const wanted = { holder, reason, ttl_seconds, wait: true };
      const grant = await this.page.attempt(() => acquireLease(wanted), () => {});
      if (!grant) return false;
      granted(this.page, grant, wanted);
      await look(this.page);
    }
    return true;
  }

  /** @param {string} title @param {string} text */
  #over(title, text) {
    forget();
    this.page.say("holding", null);
    this.page.toasts.add("bad", title, text);
  }
}
