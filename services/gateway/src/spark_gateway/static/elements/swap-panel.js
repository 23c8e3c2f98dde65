// @ts-check
// A running swap, in the place of the hero: what, how far, how long, what it means for others.

import { cloned, keyed, part, say, sayOrHide, setIcon, setPill, show, wish } from "../dom.js";
import { clockTime, count, diskSize, duration, roughly } from "../format.js";
import { modelName } from "../menu.js";
import { etaSentence, isChatAway, phaseWord, secondsLeft, secondsSpent, stepsOf } from "../phases.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../types.js").State} State */
/** @typedef {import("../types.js").SwapView} SwapView */

export class SwapPanel extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-swap"));
    part(this, "cancel").addEventListener("click", () => wish(this, "cancel-swap", { id: this.dataset.swap }));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const swap = state.swaps?.current ?? null;
    show(this, swap !== null);
    if (!swap) return;
    this.dataset.swap = swap.id;
    const live = state.link === "live";
    const left = live ? secondsLeft(swap, state.etaAt, now) : null;
    this.#head(state, swap, live);
    this.#progress(state, swap, left, now);
    part(this, "steps").steps = stepsOf(swap, now, left);
    this.#effects(state, swap, left);
    part(this, "log").log = state.log?.id === swap.id ? state.log : null;
  }

  /** @param {State} state @param {SwapView} swap @param {boolean} live */
  #head(state, swap, live) {
    const model = state.menu?.models.find((each) => each.key === swap.model);
    say(part(this, "eyebrow"), swap.phase === "rolling_back" ? "Did not start" : "Switching to");
    say(part(this, "name"), swap.model_name);
    const icon = live ? (swap.phase === "queued" ? "clock" : "busy") : "clock";
    const tone = live ? (swap.phase === "rolling_back" ? "warn" : "now") : "idle";
    setPill(part(this, "pill"), { tone, icon, word: live ? phaseWord(swap.phase) : "Not up to date" });
    const previous = swap.previous && swap.previous !== swap.model ? modelName(swap.previous, state.menu) : "";
    sayOrHide(part(this, "replaces"), previous ? `replaces ${previous}` : null);
    say(part(this, "asked"), `asked by ${swap.requested_by} at ${clockTime(swap.created_at)}`);
    sayOrHide(part(this, "where"), model?.mode === "cluster" ? "Both Sparks" : null);
    sayOrHide(part(this, "attempt"), swap.attempt > 1 ? `taken up again, attempt ${count(swap.attempt)}` : null);
    const cancel = part(this, "cancel");
    const why = !live ? "No connection" : swap.phase === "rolling_back" ? "Already going back" : "";
    cancel.disabled = why !== "";
    sayOrHide(part(this, "cancel-why"), why);
  }

  /** @param {State} state @param {SwapView} swap @param {number|null} left @param {number} now */
  #progress(state, swap, left, now) {
    say(part(this, "eta"), state.link === "live" ? etaSentence(left, swap) : "No news at the moment");
    const spent = `${duration(secondsSpent(swap, now))} so far`;
    const usual = typeof swap.usual_seconds === "number"
      ? `, usually ${duration(swap.usual_seconds)}`
      : ", not loaded here yet, so no usual time is known";
    say(part(this, "spent"), swap.phase === "queued" ? "" : swap.phase === "rolling_back" ? spent : spent + usual);
    const bar = part(this, "bar");
    const percent = typeof swap.percent === "number" ? Math.floor(swap.percent) : null;
    bar.setAttribute("aria-label", phaseWord(swap.phase));
    if (percent !== null) bar.value = percent;
    else if (swap.phase === "queued") bar.value = 0;
    else if (swap.phase === "warming") bar.value = 100;
    else bar.removeAttribute("value");
    show(part(this, "weights"), percent !== null);
    say(part(this, "percent"), `${percent ?? 0}\u00a0%`);
    const loading = swap.phase === "rolling_back" ? swap.previous : swap.model;
    const size = state.menu?.models.find((each) => each.key === loading)?.size_bytes;
    show(part(this, "read"), percent !== null && typeof size === "number");
    if (percent !== null && size) {
      say(part(this, "read-done"), diskSize((size * percent) / 100));
      say(part(this, "read-all"), diskSize(size));
    }
    sayOrHide(part(this, "message"), swap.message);
  }

  /** @param {State} state @param {SwapView} swap @param {number|null} left */
  #effects(state, swap, left) {
    const away = isChatAway(swap.phase);
    const serving = swap.previous ? modelName(swap.previous, state.menu) : "";
    part(this, "chat").className = away ? "wait" : "keep";
    setIcon(part(this, "chat-icon"), away ? "clock" : "ok");
    const retry = left !== null && left > 0 ? `“try again in ${roughly(left)}”` : "“try again later”";
    say(part(this, "chat-what"), away ? "Chat is waiting." : serving ? "Chat still works." : "No chat yet.");
    say(part(this, "chat-text"), away
      ? `Apps get ${retry} until a model is ready.`
      : serving ? `${serving} answers until the checks have passed.` : "Apps are told that no model is loaded.");
    show(part(this, "held"), state.held > 0);
    say(part(this, "held-what"), state.held === 1 ? "1 request is held." : `${count(state.held)} requests are held.`);
    const back = swap.phase === "rolling_back" ? `${serving} is being loaded again.` : `If this fails, ${serving} comes back by itself.`;
    sayOrHide(part(this, "back"), swap.rollback && serving ? back : null);
    const queue = state.swaps?.queue ?? [];
    show(part(this, "queue"), queue.length > 0);
    keyed(part(this, "queue"), queue, (each) => each.id, () => document.createElement("li"), (item, each) => {
      setPill(item, { tone: "idle", icon: "clock", word: `${queue.indexOf(each) + 1}. ${each.model_name}, ${each.requested_by}` });
    });
  }
}
