// @ts-check
// Asks for what the open part of the page shows and nobody tells: when it is opened, on news, and again and again.

import { ask } from "../api.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("../reduce-owner.js").Name} Name */

const AGAIN_MS = 20000;
const SOON_MS = 300;

export class Knowing {
  /** Of the accounts that are shown. */
  days = 7;
  /** Of the deliveries that are shown. @type {{limit: number, state?: string}} */
  which = { limit: 50 };
  /** Of the request log that is shown. @type {import("../late/activity/request-log.js").Which} */
  log = {};
  /** @type {Map<import("../tabs.js").Tab, () => Partial<Record<Name, () => Promise<any>>>>} */
  #shown = new Map();
  /** @type {Map<Name, number>} */
  #turns = new Map();
  #askedAt = 0;
  #timer = 0;

  /** @param {Acting} page */
  constructor(page) {
    this.page = page;
  }

  /** @returns {Partial<Record<Name, () => Promise<any>>>} */
  get #wanted() {
    const { tab } = this.page.state;
    if (tab === "services") return {}; // asked for by that part itself, with more of it
    const deep = () => ask("api/deep-health?history=0"); // whether all is well is said everywhere
    return { deep, ...this.#shown.get(tab)?.() };
  }

  /**
   * A part of the page that came late shows this on its tab. @param {import("../tabs.js").Tab} tab
   * @param {() => Partial<Record<Name, () => Promise<any>>>} wanted
   */
  show(tab, wanted) {
    this.#shown.set(tab, wanted);
    this.look();
  }

  /** Ask for everything that is shown now. @returns {Promise<unknown>} */
  look() {
    this.#askedAt = Date.now();
    return Promise.all(Object.entries(this.#wanted).map(([name, ask]) => this.ask(/** @type {Name} */ (name), ask)));
  }

  /** The answer to the last question wins. @param {Name} name @param {() => Promise<any>} ask */
  async ask(name, ask) {
    const turn = (this.#turns.get(name) ?? 0) + 1;
    this.#turns.set(name, turn);
    let problem = "";
    const value = await this.page.attempt(ask, (why) => {
      problem = why.message.replace(/ Look at the page before you try again\.$/, ""); // nothing was changed by asking
    });
    if (this.#turns.get(name) === turn) this.page.say("known", { name, value: value ?? undefined, problem });
    return value;
  }

  /** Called every second. @param {number} now */
  tick(now) {
    if (!document.hidden && this.page.state.link === "live" && now - this.#askedAt >= AGAIN_MS) this.look();
  }

  /** @param {string} type */
  told(type) {
    const mine = /^schedule\./.test(type) || /^lock\.(acquired|released|expired|forced|extended)$/.test(type) || /^swap\.(complete|failed)$/.test(type);
    if (!mine && type !== "snapshot") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), SOON_MS);
  }
}
