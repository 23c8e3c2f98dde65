// @ts-check
// Jobs of the services, told by their events: installing, updating the bridge, care of the speech files.

import { grown } from "./reduce-log.js";

/**
 * @typedef {object} CareJob
 * @property {string} id
 * @property {number} n  Number of the last event.
 * @property {string} step
 * @property {string[]} steps  Those that began, in order.
 * @property {number|null} percent
 * @property {string} message
 * @property {number} [done_bytes]
 * @property {number|null} [total_bytes]
 * @property {"running"|"complete"|"failed"|"cancelled"} state
 * @property {{code: string, sentence: string, action: string, evidence?: string[]}|null} cause
 * @property {import("./types.js").SwapLog|null} log
 *
 * @typedef {Record<string, CareJob>} Care  By the id of the job.
 */

const KEPT = 6;

/** @param {Care} care @param {any} event @returns {Care} */
export function onCare(care, event) {
  const id = String(event.job_id);
  const old = care[id];
  if (old && old.state !== "running") return care;
  const next = event.outcome === undefined ? moved(id, old, event) : ended(id, old, event);
  if (next === old) return care;
  const others = Object.entries(care).filter(([key]) => key !== id).slice(1 - KEPT);
  return Object.fromEntries([...others, [id, next]]);
}

/** @param {string} id @returns {CareJob} */
function fresh(id) {
  return { id, n: 0, step: "", steps: [], percent: null, message: "", state: "running", cause: null, log: null };
}

/** @param {string} id @param {CareJob|undefined} old @param {any} event @returns {CareJob} */
function moved(id, old, event) {
  const job = old ?? fresh(id);
  if (event.n <= job.n) return job;
  const { n, step, percent = null, message, done_bytes, total_bytes } = event;
  const begins = event.previous_step || n === 1 ? message : "";
  const steps = job.steps.includes(step) ? job.steps : [...job.steps, step];
  return { ...job, n, step, steps, percent, message, done_bytes, total_bytes, log: grown(job.log, id, event, begins) };
}

/** @param {string} id @param {CareJob|undefined} old @param {any} event @returns {CareJob} */
function ended(id, old, event) {
  return { ...(old ?? fresh(id)), state: event.outcome, message: event.message, cause: event.cause ?? null };
}

/**
 * A job as an answer told it, with what its events told since; an end stays an end.
 * @template {{id: string, n: number, state: string, step: string, steps: {step: string}[], message: string}} J
 * @param {J|null|undefined} job @param {Care} care @returns {(J & {log: CareJob["log"], begun: string[]})|null}
 */
export function caredFor(job, care) {
  if (!job) return null;
  const heard = care[job.id];
  const begun = [...new Set([...job.steps.map((mark) => mark.step), ...(heard?.steps ?? [])])];
  if (!heard) return { ...job, log: null, begun };
  const { log } = heard;
  if (job.state !== "running" || (heard.state === "running" && heard.n < job.n)) return { ...job, log, begun };
  const { step, percent, message, done_bytes, total_bytes, state, cause } = heard;
  const told = { step: step || job.step, percent, message, state, ...(cause ? { cause } : {}), ...(done_bytes === undefined ? {} : { done_bytes, total_bytes }) };
  return { ...job, ...told, log, begun };
}
