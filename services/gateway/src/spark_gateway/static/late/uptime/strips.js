// @ts-check
// How a host or a service was over the time that is looked at: a strip of cells, and the same in a sentence.

import { count, dayTime, duration } from "../../format.js";

/** @typedef {import("../../types.js").Tone} Tone */
/**
 * @typedef {object} Transition
 * @property {string} id
 * @property {string} target
 * @property {string} label
 * @property {string} before
 * @property {string} after
 * @property {string} reason
 * @property {string} since
 * @property {string|null} until
 * @property {number} seconds
 * @property {number|null} before_seconds
 * @property {boolean} maintenance
 *
 * What deep checks found, though it answered.
 * @typedef {{target: string, state: "failing"|"wedged", sentence: string, since: string, until: string|null, restarted: boolean}} Failure
 *
 * @typedef {{day: number|null, week: number|null, month: number|null, watched_since: string|null}} Uptime
 * @typedef {"day"|"week"|"month"} Reach
 * @typedef {{x: number, width: number, level: "up"|"slow"|"down"|"none"}} Cells
 */

export const CELLS = 48;
/** @type {Record<Reach, number>} */
export const HOURS = { day: 24, week: 168, month: 720 };
const RANK = { none: 0, up: 1, slow: 2, down: 3 };
/** @type {Record<string, "up"|"slow"|"down"|"none">} */
const LEVELS = { up: "up", degraded: "slow", down: "down", unknown: "none" };

/**
 * What each cell shows: the worst that was in it. What nobody watched, and maintenance, is empty.
 * @param {Transition[]} own  Of one target, the newest first.
 * @param {{watched: string|null, level: string, from: number, now: number, known: number, failures?: Failure[]}} time
 *   `known`: before this moment the log was cut off; milliseconds. `level`: how it is now.
 * @returns {Cells[]}
 */
export function strip(own, { watched, level, from, now, known, failures = [] }) {
  const size = (now - from) / CELLS;
  const begin = Math.max(watched ? Date.parse(watched) : Infinity, known);
  const cells = Array.from({ length: CELLS }, () => /** @type {Cells["level"]} */ ("none"));
  const draw = (/** @type {number} */ start, /** @type {number} */ end, /** @type {Cells["level"]} */ what, earliest = begin) => {
    const first = Math.floor((Math.max(start, earliest, from) - from) / size);
    const last = Math.ceil((Math.min(end, now) - from) / size) - 1;
    for (let cell = Math.max(0, first); cell <= Math.min(last, CELLS - 1); cell += 1) if (RANK[what] > RANK[cells[cell]]) cells[cell] = what;
  };
  let end = now;
  for (const each of own) {
    const start = Date.parse(each.since);
    draw(start, end, each.maintenance ? "none" : LEVELS[each.after] ?? "none");
    end = start;
  }
  draw(from, end, LEVELS[own.length > 0 ? own[own.length - 1].before : level] ?? "none");
  for (const each of failures) draw(Date.parse(each.since), each.until === null ? now : Date.parse(each.until), "slow", from); // a check that failed was watching
  /** @type {Cells[]} */
  const merged = [];
  cells.forEach((what, cell) => {
    const last = merged.at(-1);
    if (last?.level === what) last.width += 1;
    else merged.push({ x: cell, width: 1, level: what });
  });
  return merged;
}

/** The share of the time, never rounded up. @param {number|null|undefined} percent */
export function percentWords(percent) {
  if (percent === null || percent === undefined) return "not watched";
  if (percent >= 100) return "100\u00a0%";
  const digits = percent > 99 ? 100 : 10;
  return `${(Math.floor(percent * digits) / digits).toString()}\u00a0%`;
}

/** What happened, in a sentence. @param {Transition[]} own @param {string} level @param {number} now @param {Failure[]} [failures] */
export function stripWords(own, level, now, failures = []) {
  const work = failures.length === 0 ? "" : failures.length === 1 ? `; ${failureWords(failures[0], now)}` : `; could not work ${count(failures.length)} times, last ${failureWords(failures[0], now)}`;
  return `${outageWords(own, level, now)}${work}`;
}

/** @param {Transition[]} own @param {string} level @param {number} now */
function outageWords(own, level, now) {
  const outages = own.filter((each) => each.after === "down" && !each.maintenance);
  const worst = Math.max(0, ...outages.map((each) => each.seconds));
  if (outages.length === 0) return own.length === 0 ? (level === "unknown" ? "Nothing is known" : "No change") : "Never down";
  const first = outages[0];
  const lasts = first.until === null ? `down for ${duration(first.seconds)}, since ${dayTime(first.since, now)}` : `down for ${duration(first.seconds)}, ${dayTime(first.since, now)}`;
  return outages.length === 1 ? `Once ${lasts}` : `Down ${count(outages.length)} times, at longest ${duration(worst)}; last ${lasts}`;
}

/** It answered, and could not do its work. @param {Failure} failure @param {number} now */
export function failureWords({ state, since, until, restarted }, now) {
  const what = state === "wedged" ? "stuck" : "failed its check";
  const lasts = duration(Math.max(1, ((until === null ? now : Date.parse(until)) - Date.parse(since)) / 1000));
  if (until === null) return `${what} for ${lasts}, since ${dayTime(since, now)}`;
  return `${what} for ${lasts}, ${dayTime(since, now)}${restarted ? ", until a restart" : ""}`;
}

/** @param {Failure} failure */
export function failureLasted({ since, until, restarted }) {
  if (until === null) return "";
  return `It lasted ${duration(Math.max(1, (Date.parse(until) - Date.parse(since)) / 1000))}${restarted ? ", until a restart" : ""}.`;
}

/** The last change, for the end of the row. @param {Transition[]} own @param {number} now @param {Failure[]} [failures] */
export function lastWords(own, now, failures = []) {
  const [last] = own;
  const [failure] = failures;
  if (failure && (!last || Date.parse(last.since) < Date.parse(failure.since))) return failureWords(failure, now);
  if (!last) return "no change";
  const words = { up: "up again", down: "down", degraded: "not right", unknown: "not known" }[last.after] ?? last.after;
  return last.until === null && last.after !== "up" ? `${words} for ${duration((now - Date.parse(last.since)) / 1000)}` : `${words} ${dayTime(last.since, now)}`;
}

/** @type {Record<string, {tone: Tone, icon: string, word: string}>} */
const PILLS = {
  up: { tone: "ok", icon: "ok", word: "Up" },
  idle: { tone: "idle", icon: "idle", word: "Idle" },
  busy: { tone: "now", icon: "clock", word: "Busy" },
  degraded: { tone: "warn", icon: "warn", word: "Not right" },
  down: { tone: "bad", icon: "bad", word: "Down" },
  unknown: { tone: "idle", icon: "clock", word: "Not known" },
};

/** @param {string} state @param {boolean} old */
export function statePill(state, old) {
  return old ? PILLS.unknown : PILLS[state] ?? PILLS.unknown;
}

/** Four moments below the strips. @param {number} from @param {number} now @returns {string[]} */
export function axis(from, now) {
  return [0, 1, 2, 3].map((part) => dayTime(new Date(from + ((now - from) * part) / 4).toISOString(), now));
}

/** @param {string} text */
function cell(text) {
  return `"${text.replaceAll('"', '""').replace(/^[=+\-@\t\r]/, "'$&")}"`; // a spreadsheet must not take it for a formula
}

/** The log as a table for other programs. @param {Transition[]} transitions */
export function csvOf(transitions) {
  const rows = transitions.map((each) => [each.since, each.until ?? "", each.target, each.before, each.after, String(Math.round(each.seconds)), each.maintenance ? "yes" : "no", each.reason]);
  return [["since", "until", "target", "before", "after", "seconds", "maintenance", "reason"], ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}
