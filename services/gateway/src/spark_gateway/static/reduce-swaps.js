// @ts-check
// What is known of swaps after one more word about them: pure, and safe against words that come late.

import { grown, marksUntil } from "./reduce-log.js";
import { isOver } from "./phases.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {import("./types.js").SwapProgress} SwapProgress */

const RECENT_LIMIT = 20;

/**
 * A list that was read before an event may arrive after it: an end stays an end, and of two views
 * of the running swap the one with the higher number stays.
 * @param {State["swaps"]} old
 * @param {import("./types.js").Swaps} next
 */
export function fresher(old, next) {
  const over = old?.recent.find((swap) => swap.id === next?.current?.id && isOver(swap.phase));
  if (over) return ended(next, over);
  const mine = old?.current;
  if (!mine || !next?.current || next.current.id !== mine.id || next.current.n >= mine.n) return next;
  return { ...next, current: mine };
}

/** The answer to a command of this page. @param {State} state @param {SwapView} view @param {number} at @returns {State} */
export function onView(state, view, at) {
  const swaps = state.swaps ?? { current: null, queue: [], recent: [] };
  if (view.dry_run || swaps.recent.some((swap) => swap.id === view.id)) return state;
  if (isOver(view.phase)) return { ...state, swaps: ended(swaps, view) };
  if (swaps.current?.id === view.id) {
    return view.n < swaps.current.n ? state : { ...state, swaps: { ...swaps, current: view }, etaAt: at };
  }
  if (swaps.current) {
    const queue = [...swaps.queue.filter((swap) => swap.id !== view.id), view];
    return { ...state, swaps: { ...swaps, queue } };
  }
  return { ...state, swaps: { ...swaps, current: view }, etaAt: at };
}

/** @param {NonNullable<State["swaps"]>} swaps @param {SwapView} view */
function ended(swaps, view) {
  const recent = [view, ...swaps.recent.filter((swap) => swap.id !== view.id)].slice(0, RECENT_LIMIT);
  return {
    current: swaps.current?.id === view.id ? null : swaps.current,
    queue: swaps.queue.filter((swap) => swap.id !== view.id),
    recent,
  };
}

/** @param {State} state @param {SwapProgress} step @param {number} at @returns {State} */
export function onProgress(state, step, at) {
  const begins = step.previous_phase || step.n === 1 ? `${step.phase.padEnd(10)} ${step.message}`.trimEnd() : "";
  const log = grown(state.log, step.swap_id, step, begins);
  const view = [state.swaps?.current, ...(state.swaps?.queue ?? [])].find((swap) => swap?.id === step.swap_id);
  if (!state.swaps || !view || step.n <= view.n) return log === state.log ? state : { ...state, log };
  const next = advanced(view, step);
  const queue = state.swaps.queue.filter((swap) => swap.id !== step.swap_id);
  const swaps = next.phase === "queued" && state.swaps.current?.id !== step.swap_id
    ? { ...state.swaps, queue: state.swaps.queue.map((swap) => (swap.id === next.id ? next : swap)) }
    : { ...state.swaps, current: next, queue };
  return { ...state, log, swaps, etaAt: at };
}

/** @param {SwapView} view @param {SwapProgress} step @returns {SwapView} */
function advanced(view, step) {
  const phases = step.phase === view.phase && view.phases.length > 0 ? view.phases : [
    ...marksUntil(view.phases, step.at),
    { phase: step.phase, at: step.at },
  ];
  return {
    ...view,
    phases,
    phase: step.phase,
    percent: step.percent,
    eta_seconds: step.eta_seconds,
    message: step.message,
    attempt: step.attempt,
    n: step.n,
  };
}

/**
 * The one outcome of a swap. What serves now is said by the event itself; the menu follows.
 * @param {State} state @param {any} outcome @param {SwapView["phase"]} phase @returns {State}
 */
export function onOutcome(state, outcome, phase) {
  const { swaps } = state;
  if (!swaps) return state;
  const view = [swaps.current, ...swaps.queue].find((swap) => swap?.id === outcome.swap_id);
  if (!view) return state;
  const serving = phase === "ready" ? outcome.model : outcome.serving ?? null;
  const phases = marksUntil(view.phases, outcome.finished_at);
  /** @type {SwapView} */
  const last = {
    ...view,
    phase,
    phases,
    cause: outcome.cause ?? null,
    serving,
    degraded: outcome.degraded ?? null,
    eta_seconds: null,
    percent: null,
    finished_at: outcome.finished_at,
  };
  return { ...state, swaps: ended(swaps, last), menu: outcome.dry_run ? state.menu : served(state.menu, outcome, serving) };
}

/** @param {State["menu"]} menu @param {any} outcome @param {string|null} serving */
function served(menu, outcome, serving) {
  if (!menu || (!outcome.degraded && menu.runtime.state === "serving" && menu.runtime.model === serving)) return menu;
  const models = menu.models.map((model) => (model.loaded === (model.key === serving)
    ? model
    : { ...model, loaded: model.key === serving }));
  const model = models.find((each) => each.key === serving);
  const runtime = serving === null
    ? { .../** @type {const} */ ({ state: "idle" }), since: outcome.finished_at }
    : {
        state: outcome.degraded ? /** @type {const} */ ("degraded") : /** @type {const} */ ("serving"),
        detail: outcome.degraded ?? null,
        model: serving,
        served_name: outcome.served_name ?? model?.served_name ?? serving,
        context_length: model?.context_length ?? null,
        since: outcome.finished_at,
      };
  return { ...menu, models, runtime };
}
