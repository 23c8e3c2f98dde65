// @ts-check
// A swap that ended without its model: what happened, what to press, the whole log.

import { cloned, part, say, sayOrHide, setBadge, show, wish } from "../dom.js";
import { capital, dayTime, duration } from "../format.js";
import { modelName } from "../menu.js";
import { isOver, phaseWord, secondsSpent } from "../phases.js";
import { lastFailure } from "../verdict.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../types.js").State} State */
/** @typedef {import("../types.js").SwapView} SwapView */

/** @param {SwapView} swap */
function failedIn(swap) {
  return swap.phases.filter((mark) => !isOver(mark.phase) && mark.phase !== "rolling_back").at(-1)?.phase ?? "preflight";
}

/** @param {SwapView} swap @param {State} state */
function servesNow(swap, state) {
  const name = modelName(swap.serving, state.menu);
  if (!name) return "no model is loaded now";
  return swap.phase === "rolled_back" ? `${name} was brought back` : `${name} kept serving`;
}

export class FailureCard extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-failure"));
    part(this, "dismiss").addEventListener("click", () => wish(this, "dismiss-failure", { id: this.dataset.swap }));
    part(this, "retry").addEventListener("click", () => wish(this, "switch-model", { key: this.dataset.model }));
    part(this, "full").addEventListener("toggle", () => {
      if (part(this, "full").open) wish(this, "read-log", { id: this.dataset.swap });
    });
  }

  /** @param {View} view */
  set view({ state, verdict, now }) {
    const swap = lastFailure(state);
    show(this, swap !== null);
    if (!swap) return;
    if (this.dataset.swap !== swap.id) part(this, "full").open = false;
    this.dataset.swap = swap.id;
    this.dataset.model = swap.model;
    this.#head(swap, state, now);
    say(part(this, "sentence"), swap.cause?.sentence ?? "The reason was not said.");
    const evidence = swap.cause?.evidence ?? [];
    show(part(this, "quote"), evidence.length > 0);
    say(part(this, "evidence"), evidence.join("\n"));
    say(part(this, "action"), swap.cause?.action || "Look at the log, then try again.");
    this.#buttons(swap, state, verdict);
    const log = state.log?.id === swap.id ? state.log : null;
    part(this, "log").marks = evidence;
    part(this, "log").log = log;
    show(part(this, "log"), log !== null);
    sayOrHide(part(this, "log-state"), log ? null : this.dataset.read === swap.id ? "Nothing of it is kept any more: it is too old, or from a version that did not keep logs." : "Reading the log.");
  }

  /** @param {SwapView} swap @param {State} state @param {number} now */
  #head(swap, state, now) {
    const cancelled = swap.phase === "cancelled";
    const tone = cancelled ? "idle" : swap.phase === "rolled_back" ? "warn" : "bad";
    this.firstElementChild?.setAttribute("class", `card failure ${tone}`);
    setBadge(part(this, "badge"), tone, tone === "idle" ? "idle" : tone);
    say(part(this, "title"), cancelled ? `The swap to ${swap.model_name} was cancelled` : `${swap.model_name} did not start`);
    say(part(this, "when"), capital(dayTime(swap.finished_at ?? swap.created_at, now)));
    say(part(this, "who"), `asked by ${swap.requested_by}`);
    say(part(this, "where"), `${cancelled ? "ended" : "stopped"} at “${phaseWord(failedIn(swap)).toLowerCase()}”, after ${duration(secondsSpent(swap, now))}`);
    say(part(this, "now"), servesNow(swap, state));
  }

  /** @param {SwapView} swap @param {State} state @param {View["verdict"]} verdict */
  #buttons(swap, state, verdict) {
    const retry = part(this, "retry");
    const model = state.menu?.models.find((each) => each.key === swap.model);
    show(retry, model !== undefined && model.state === "ready" && !model.loaded);
    say(retry, "Try again…");
    retry.disabled = verdict.may === "no";
    sayOrHide(part(this, "why"), verdict.may === "no" ? verdict.reason : null);
  }
}
