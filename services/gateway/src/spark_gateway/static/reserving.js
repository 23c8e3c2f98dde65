// @ts-check
// What was typed to reserve the Sparks: what is wrong with it, and what is asked for.

import { numberOf } from "./forms.js";

/** @typedef {import("./types-control.js").FieldProblem} FieldProblem */
/** @typedef {{holder: string, reason: string, minutes: string, wait: boolean, maximum: string}} Typed */

const DAY_MINUTES = 24 * 60;

/** @param {string} text @returns {number|null} */
export function minutesOf(text) {
  const value = numberOf(text);
  return value !== null && value >= 1 && value <= DAY_MINUTES ? value : null;
}

/** @param {Typed} typed @returns {Map<string, FieldProblem[]>} by field */
export function reserveProblems({ holder, minutes, wait, maximum }) {
  const found = new Map();
  /** @param {string} field @param {string} message */
  const wrong = (field, message) => found.set(field, [{ field, message, severity: "error", near: [] }]);
  if (holder.trim() === "") wrong("holder", "Say who reserves; others see it.");
  if (minutesOf(minutes) === null) wrong("minutes", "Write a number of minutes, from 1 to 1440.");
  if (wait && minutesOf(maximum) === null) wrong("maximum", "Write a number of minutes, from 1 to 1440.");
  return found;
}

/** @param {Typed} typed @returns {import("./types-lease.js").Wanted} */
export function asked({ holder, reason, minutes, wait, maximum }) {
  const wanted = { holder: holder.trim(), reason: reason.trim(), ttl_seconds: (minutesOf(minutes) ?? 60) * 60, wait };
  return wait ? { ...wanted, max_wait_seconds: (minutesOf(maximum) ?? 60) * 60 } : wanted;
}

/**
 * The next moment at which the clock shows a time: today, or tomorrow when that is past.
 * @param {string} time `14:00`; nothing else is a time @param {number} now milliseconds
 * @returns {string|null} ISO 8601
 */
export function nextMoment(time, now) {
  const read = /^(\d{2}):(\d{2})$/.exec(time);
  if (!read) return null;
  const moment = new Date(now);
  moment.setHours(Number(read[1]), Number(read[2]), 0, 0);
  if (moment.getTime() <= now) moment.setDate(moment.getDate() + 1);
  return moment.toISOString();
}
