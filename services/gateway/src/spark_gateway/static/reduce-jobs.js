// @ts-check
// What is known of downloads and updates after one more word: pure, and safe against late words.

import { grown } from "./reduce-log.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types-control.js").Downloads} Downloads */
/** @typedef {import("./types-control.js").DownloadView} DownloadView */
/** @typedef {import("./types-control.js").Updates} Updates */
/** @typedef {import("./types-control.js").UpdateView} UpdateView */
/** @typedef {import("./types-control.js").JobProgress} JobProgress */
/** @typedef {import("./types-control.js").JobEnded} JobEnded */

const RECENT_LIMIT = 20;

/** A job after an event of it; the same job when the event is not news. @template {{n: number}} T @param {T} job @param {JobProgress} step @returns {T} */
function moved(job, step) {
  if (step.n <= job.n) return job;
  const { n, step: now, percent, eta_seconds, message } = step;
  return { ...job, n, step: now, percent, eta_seconds, message };
}

/** @template T @param {T} job @param {JobEnded} end @returns {T} */
function over(job, end) {
  const { outcome, message, cause = null, finished_at } = end;
  return { ...job, state: outcome, message, cause, finished_at, percent: outcome === "complete" ? 100 : null, eta_seconds: null };
}

/**
 * A list that was read before an event may come after it: an end stays an end, the higher number stays.
 * @param {Downloads|null} old @param {Downloads|null} next @returns {Downloads|null}
 */
export function freshDownloads(old, next) {
  if (!old || !next) return next;
  const ended = next.running.filter((each) => old.recent.some((known) => known.id === each.id));
  const running = next.running.filter((each) => !ended.includes(each)).map((each) => {
    const mine = old.running.find((known) => known.id === each.id);
    return mine && mine.n > each.n ? mine : each;
  });
  const kept = old.recent.filter((known) => ended.some((each) => each.id === known.id));
  return { running, recent: [...kept, ...next.recent.filter((each) => !kept.some((known) => known.id === each.id))] };
}

/** The answer to a command of this page. @param {Downloads|null} old @param {DownloadView} view @returns {Downloads} */
export function downloadSeen(old, view) {
  const { running, recent } = old ?? { running: [], recent: [] };
  if (recent.some((each) => each.id === view.id)) return { running, recent };
  const others = running.filter((each) => each.id !== view.id);
  if (view.state !== "running") return { running: others, recent: [view, ...recent].slice(0, RECENT_LIMIT) };
  const mine = running.find((each) => each.id === view.id);
  if (mine && mine.n > view.n) return { running, recent };
  return { running: mine ? running.map((each) => (each.id === view.id ? view : each)) : [...running, view], recent };
}

/** @param {Downloads|null} old @param {JobProgress} step @returns {Downloads|null} */
export function downloadMoved(old, step) {
  const mine = old?.running.find((each) => each.id === step.job_id);
  if (!old || !mine || step.n <= mine.n) return old;
  const { done_bytes = mine.done_bytes, total_bytes = mine.total_bytes, bytes_per_second = null } = step;
  const next = { ...moved(mine, step), done_bytes, total_bytes, bytes_per_second };
  return { ...old, running: old.running.map((each) => (each === mine ? next : each)) };
}

/** @param {Downloads|null} old @param {JobEnded} end @returns {Downloads|null} */
export function downloadEnded(old, end) {
  const mine = old?.running.find((each) => each.id === end.job_id);
  if (!old || !mine) return old;
  const last = { ...over(mine, end), bytes_per_second: null };
  return { running: old.running.filter((each) => each !== mine), recent: [last, ...old.recent].slice(0, RECENT_LIMIT) };
}

/** @param {Updates|null} old @param {Updates|null} next @returns {Updates|null} */
export function freshUpdates(old, next) {
  const [mine, theirs] = [old?.job, next?.job];
  if (!next || !mine || mine.id !== theirs?.id) return next;
  const ended = mine.state !== "running" && theirs.state === "running";
  return ended || mine.n > theirs.n ? { ...next, job: mine } : next;
}

/** @param {Updates|null} old @param {UpdateView} view @returns {Updates} */
export function updateSeen(old, view) {
  const base = old ?? { checkouts: [], can_apply: false, can_revert: false, blockers: [] };
  return base.job?.id === view.id && base.job.n > view.n ? base : { ...base, job: view };
}

/** @param {State} state @param {JobProgress} step @returns {State} */
export function updateMoved(state, step) {
  const begins = step.previous_step || step.n === 1 ? `${step.step.padEnd(10)} ${step.message}`.trimEnd() : "";
  const jobLog = grown(state.jobLog, step.job_id, step, begins);
  const job = state.updates?.job;
  if (!state.updates || !job || job.id !== step.job_id) return { ...state, jobLog };
  return { ...state, jobLog, updates: { ...state.updates, job: moved(job, step) } };
}

/** @param {Updates|null} old @param {JobEnded} end @returns {Updates|null} */
export function updateEnded(old, end) {
  return old?.job?.id === end.job_id ? { ...old, job: over(old.job, end) } : old;
}
