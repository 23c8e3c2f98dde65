// @ts-check
// Keeps what this tab holds true: says that it still waits, takes up its turn, notices the end.

import { acquireLease, getLease } from "../api-lease.js";
import { forget, holding } from "../holding.js";
import { stillMine } from "../reduce-lease.js";
import { granted } from "./reserving.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("../types-lease.js").LeaseView} LeaseView */

/** A waiter is heard of three times in the time that it has. */
const PER_WINDOW = 3;
const AT_LEAST_MS = 1000;

export class Staying {
  #asking = false;
  #askedAt = 0;

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
    if (mine?.state !== "waiting") return;
    const pause = Math.max(AT_LEAST_MS, (mine.seenWithin * 1000) / PER_WINDOW);
    if (now - this.#askedAt >= pause) this.#ask();
  }

  /** What the server told. @param {string} type @param {any} data */
  told(type, data) {
    const mine = this.page.state.holding;
    if (!mine) return;
    if (type === "lock.granted" && data.ticket === mine.ticket) this.#ask();
    if (type === "lock.dropped" && data.ticket === mine.ticket) this.#ask();
    if ((type === "lease" || type === "snapshot") && this.page.state.lease && !stillMine(mine, this.page.state.lease)) this.#ask();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.#askedAt = Date.now();
    const lease = await this.page.attempt(getLease, () => {});
    const mine = holding();
    if (lease && mine) await this.#judge(lease, mine);
    this.#asking = false;
  }

  /** @param {LeaseView} lease  As the one who shows the token sees it. @param {import("../types-lease.js").Holding} mine */
  async #judge(lease, mine) {
    this.page.say("lease", lease);
    const yours = lease.yours ?? null;
    if (mine.state === "held") {
      if (yours !== "lease") this.#over("Your reservation is over", lease.state === "free" ? "Nobody has the Sparks now." : "");
    } else if (yours === null) {
      this.#over("You are not in line any more", "Stand in line again if you still want the Sparks.");
    } else if (lease.state === "granted" || lease.state === "free" || yours === "lease") {
      const { holder, reason, ttl_seconds } = mine;
      const wanted = { holder, reason, ttl_seconds, wait: true };
      const grant = await this.page.attempt(() => acquireLease(wanted), () => {});
      if (!grant) return;
      granted(this.page, grant, wanted);
      const after = await this.page.attempt(getLease, () => {});
      if (after) this.page.say("lease", after);
    }
  }

  /** @param {string} title @param {string} text */
  #over(title, text) {
    forget();
    this.page.say("holding", null);
    this.page.toasts.add("bad", title, text);
  }
}
