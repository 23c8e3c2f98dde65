// @ts-check
// The state of the page: a pure reducer over what the server said, and who listens.

import { isOver } from "./phases.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {import("./types.js").SwapProgress} SwapProgress */
/** @typedef {{type: string, data?: any, at?: number}} Message */

/** Lines of a log that stay in the page; a run-away launch must not fill the browser. */
export const LOG_LIMIT = 2000;
const RECENT_LIMIT = 20;

/** @returns {State} */
export function initialState() {
  return {
    link: "connecting",
    heardAt: 0,
    version: null,
    outdated: false,
    demo: false,
    menu: null,
    swaps: null,
    etaAt: 0,
    components: [],
    bus: { connected: true },
    log: null,
    dismissed: null,
  };
}

/**
 * The next state. Unknown messages change nothing: a newer server may say more than this page knows.
 * @param {State} state
 * @param {Message} message  `at`: milliseconds when it was heard.
 * @returns {State}
 */
export function reduce(state, message) {
  const { type, data, at = 0 } = message;
  const heard = { ...state, heardAt: Math.max(at, state.heardAt) };
  switch (type) {
    case "link":
      return { ...state, link: data };
    case "heard":
      return heard;
    case "dismissed":
      return { ...state, dismissed: data };
    case "snapshot":
      return onSnapshot(heard, data, at);
    case "menu":
      return { ...heard, menu: data };
    case "swaps":
      return { ...heard, swaps: fresher(state.swaps, data), etaAt: at };
    case "components":
      return { ...heard, components: data };
    case "bus":
      return { ...heard, bus: data };
    case "swap.view":
      return onView(heard, data, at);
    case "swap.progress":
      return onProgress(heard, data, at);
    case "swap.complete":
      return onOutcome(heard, data, "ready");
    case "swap.failed":
      return onOutcome(heard, data, data.outcome);
    default:
      return state;
  }
}

/** @param {State} state @param {import("./types.js").Snapshot} data @param {number} at @returns {State} */
function onSnapshot(state, data, at) {
  return {
    ...state,
    link: "live",
    version: state.version ?? data.version,
    outdated: state.outdated || (state.version !== null && state.version !== data.version),
    demo: data.demo === true,
    menu: data.menu,
    swaps: data.swaps,
    etaAt: at,
    components: data.components ?? [],
    bus: data.bus ?? { connected: true },
  };
}

/**
 * A list that was read before an event may arrive after it: an end stays an end, and of two views
 * of the running swap the one with the higher number stays.
 * @param {State["swaps"]} old
 * @param {import("./types.js").Swaps} next
 */
function fresher(old, next) {
  const over = old?.recent.find((swap) => swap.id === next?.current?.id && isOver(swap.phase));
  if (over) return ended(next, over);
  const mine = old?.current;
  if (!mine || !next?.current || next.current.id !== mine.id || next.current.n >= mine.n) return next;
  return { ...next, current: mine };
}

/** The answer to a command of this page. @param {State} state @param {SwapView} view @param {number} at @returns {State} */
function onView(state, view, at) {
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
function onProgress(state, step, at) {
  const log = logged(state.log, step);
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
    ...view.phases.map((mark, index) => (index === view.phases.length - 1 && mark.seconds == null
      ? { ...mark, seconds: Math.max(0, (Date.parse(step.at) - Date.parse(mark.at)) / 1000) }
      : mark)),
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

/** @param {State["log"]} log @param {SwapProgress} step @returns {State["log"]} */
function logged(log, step) {
  const mine = log?.id === step.swap_id ? log : { id: step.swap_id, n: 0, dropped: 0, entries: [] };
  if (step.n <= mine.n) return log;
  const fresh = step.lines.map((text) => ({ at: step.at, text }));
  if (step.previous_phase || step.n === 1) {
    fresh.unshift({ at: step.at, text: `${step.phase.padEnd(10)} ${step.message}`.trimEnd() });
  }
  const all = [...mine.entries, ...fresh];
  const over = Math.max(0, all.length - LOG_LIMIT);
  return { id: mine.id, n: step.n, dropped: mine.dropped + over, entries: over > 0 ? all.slice(over) : all };
}

/**
 * The one outcome of a swap. What serves now is said by the event itself; the menu follows.
 * @param {State} state @param {any} outcome @param {SwapView["phase"]} phase @returns {State}
 */
function onOutcome(state, outcome, phase) {
  const { swaps } = state;
  if (!swaps) return state;
  const view = [swaps.current, ...swaps.queue].find((swap) => swap?.id === outcome.swap_id);
  if (!view) return state;
  const serving = phase === "ready" ? outcome.model : outcome.serving ?? null;
  const phases = view.phases.map((mark, index) => (index === view.phases.length - 1 && mark.seconds == null
    ? { ...mark, seconds: Math.max(0, (Date.parse(outcome.finished_at) - Date.parse(mark.at)) / 1000) }
    : mark));
  /** @type {SwapView} */
  const last = {
    ...view,
    phase,
    phases,
    cause: outcome.cause ?? null,
    serving,
    eta_seconds: null,
    percent: null,
    finished_at: outcome.finished_at,
  };
  return { ...state, swaps: ended(swaps, last), menu: outcome.dry_run ? state.menu : served(state.menu, outcome, serving) };
}

/** @param {State["menu"]} menu @param {any} outcome @param {string|null} serving */
function served(menu, outcome, serving) {
  if (!menu || (menu.runtime.state === "serving" && menu.runtime.model === serving)) return menu;
  const models = menu.models.map((model) => (model.loaded === (model.key === serving)
    ? model
    : { ...model, loaded: model.key === serving }));
  const model = models.find((each) => each.key === serving);
  const runtime = serving === null
    ? { .../** @type {const} */ ({ state: "idle" }), since: outcome.finished_at }
    : {
        .../** @type {const} */ ({ state: "serving" }),
        model: serving,
        served_name: outcome.served_name ?? model?.served_name ?? serving,
        context_length: model?.context_length ?? null,
        since: outcome.finished_at,
      };
  return { ...menu, models, runtime };
}

/** Holds the state and tells who listens that it changed. */
export class Store extends EventTarget {
  constructor() {
    super();
    this.state = initialState();
  }

  /** @param {Message} message */
  say(message) {
    const next = reduce(this.state, message);
    if (next !== this.state) {
      this.state = next;
      this.dispatchEvent(new Event("change"));
    }
    this.dispatchEvent(new CustomEvent("told", { detail: message }));
  }
}
