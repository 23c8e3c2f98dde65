// @ts-check
// What the phases of a swap are called, and the seven steps a person follows.

import { clockTime, duration, roughly } from "./format.js";

/** @typedef {import("./types.js").Phase} Phase */
/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {{label: string, state: "done"|"now"|"todo"|"fail", time: string}} Step */

/** @type {Record<Phase, string>} */
const WORDS = {
  queued: "Queued",
  preflight: "Checking",
  draining: "Finishing answers",
  stopping: "Stopping the old model",
  launching: "Starting",
  loading: "Loading weights",
  warming: "Waiting for first words",
  ready: "Ready",
  rolling_back: "Bringing the old model back",
  rolled_back: "Rolled back",
  failed: "Failed",
  cancelled: "Cancelled",
};

/** @type {{label: string, phases: Phase[]}[]} */
const STEPS = [
  { label: "Checks", phases: ["queued", "preflight"] },
  { label: "Finish answers", phases: ["draining"] },
  { label: "Stop old model", phases: ["stopping"] },
  { label: "Start", phases: ["launching"] },
  { label: "Load weights", phases: ["loading"] },
  { label: "First words", phases: ["warming"] },
  { label: "Ready", phases: ["ready"] },
];

/** @type {ReadonlySet<Phase>} */
const TERMINAL = new Set(["ready", "rolled_back", "failed", "cancelled"]);

/** Phases in which the old model is already stopped, or is being stopped. @type {ReadonlySet<Phase>} */
const PAST_STOP = new Set(["stopping", "launching", "loading", "warming", "rolling_back"]);

/** Phases in which chat requests are answered "try again". @type {ReadonlySet<Phase>} */
const AWAY = new Set(["draining", ...PAST_STOP]);

/** @param {Phase} phase */
export function phaseWord(phase) {
  return WORDS[phase] ?? phase;
}

/** @param {Phase} phase */
export function isOver(phase) {
  return TERMINAL.has(phase);
}

/** @param {Phase} phase */
export function isPastStop(phase) {
  return PAST_STOP.has(phase);
}

/** @param {Phase} phase */
export function isChatAway(phase) {
  return AWAY.has(phase);
}

/** @param {Phase} phase */
function stepOf(phase) {
  return STEPS.findIndex((step) => step.phases.includes(phase));
}

/**
 * Index of the last step a swap entered; what came after it (failed, rolling back) is no step.
 * @param {SwapView} swap
 */
function reached(swap) {
  const own = stepOf(swap.phase);
  if (own >= 0) return own;
  return swap.phases.reduce((last, mark) => Math.max(last, stepOf(mark.phase)), 0);
}

/**
 * The seven steps with their state and time, for the stepper.
 * @param {SwapView} swap
 * @param {number} now milliseconds
 * @param {number|null} left seconds until ready, if known
 * @returns {Step[]}
 */
export function stepsOf(swap, now, left) {
  const current = reached(swap);
  const broken = stepOf(swap.phase) < 0;
  return STEPS.map(({ label, phases }, index) => {
    const marks = swap.phases.filter((mark) => phases.includes(mark.phase));
    const spent = marks.reduce((sum, mark) => sum + (mark.seconds ?? 0), 0);
    if (swap.phase === "ready" || index < current) {
      return { label, state: "done", time: marks.length > 0 && index < 6 ? duration(spent) : "" };
    }
    if (index === current && broken) return { label, state: "fail", time: duration(spent) };
    if (index === current) return { label, state: "now", time: timeNow(swap, marks.at(-1)?.at, now) };
    return { label, state: "todo", time: index === 6 && left !== null && left > 0 ? `about ${clockTime(now + left * 1000)}` : "" };
  });
}

/**
 * @param {SwapView} swap
 * @param {string|undefined} since
 * @param {number} now
 */
function timeNow(swap, since, now) {
  if (swap.phase === "loading" && typeof swap.percent === "number") return `${Math.floor(swap.percent)}\u00a0%`;
  return since ? duration((now - Date.parse(since)) / 1000) : "";
}

/**
 * Seconds that are left: the ETA counts down here between two words of the server.
 * @param {SwapView} swap
 * @param {number} saidAt milliseconds when the server said the ETA
 * @param {number} now milliseconds
 * @returns {number|null} null when no time is known
 */
export function secondsLeft(swap, saidAt, now) {
  if (typeof swap.eta_seconds !== "number" || isOver(swap.phase)) return null;
  return swap.eta_seconds - Math.max(0, now - saidAt) / 1000;
}

/**
 * How long until ready, as a headline.
 * @param {number|null} left
 * @param {SwapView} swap
 */
export function etaSentence(left, swap) {
  if (swap.phase === "queued") return "Waiting for its turn";
  if (swap.phase === "rolling_back" && left === null) return "Bringing the old model back";
  if (left === null) return "No time known yet";
  if (left <= 0) return "Taking a little longer than usual";
  return `About ${roughly(left)} left`;
}

/**
 * Whole time of a swap in seconds, from its marks; for one that still runs, until now.
 * @param {SwapView} swap
 * @param {number} now
 */
export function secondsSpent(swap, now) {
  const end = swap.finished_at ? Date.parse(swap.finished_at) : now;
  const begun = swap.phases.find((mark) => mark.phase !== "queued")?.at ?? swap.created_at;
  return Math.max(0, (end - Date.parse(begun)) / 1000);
}
