// @ts-check
// The form of a schedule: what stands in it, and what schedule it says.

import { numberOf } from "../../forms.js";

/** @typedef {import("../../types-owner.js").PutSchedule} PutSchedule */
/** @typedef {import("../../types-control.js").FieldProblem} FieldProblem */
/** @typedef {"cron"|"every"|"at"} When */
/**
 * @typedef {object} Form  Everything as text, as it is typed.
 * @property {string} id
 * @property {string} name
 * @property {PutSchedule["kind"]} kind
 * @property {When} when
 * @property {string} cron
 * @property {string} every  Minutes.
 * @property {string} at  Time in the zone: `2026-03-02T14:00`.
 * @property {string} timezone
 * @property {string} duration
 * @property {string} model
 * @property {string} collection
 * @property {string} keep
 * @property {string} owner
 * @property {string} remark
 * @property {boolean} enabled
 * @property {boolean} make_up
 * @property {string} within
 * @property {string} missed_after
 */

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** @param {string} text @returns {number|null} */
function positive(text) {
  const value = numberOf(text);
  return value !== null && value > 0 ? value : null;
}

/** The clock on the wall of a zone at a moment: `2026-03-02T14:00`. @param {string} moment @param {string} zone */
export function wallTime(moment, zone) {
  /** @param {string|undefined} timeZone */
  const parts = (timeZone) => new Intl.DateTimeFormat("en-GB", {
    timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(new Date(moment));
  let found;
  try {
    found = parts(zone);
  } catch {
    found = parts("UTC"); // a zone this browser does not know
  }
  const of = (/** @type {string} */ type) => found.find((part) => part.type === type)?.value ?? "00";
  return `${of("year")}-${of("month")}-${of("day")}T${of("hour")}:${of("minute")}`;
}

/**
 * The moment that is meant. One that was not touched stays to the second, and on the right side of a
 * night on which the clock shows an hour twice.
 * @param {Form} form @param {PutSchedule|null} base
 */
function momentOf({ at, timezone }, base) {
  const untouched = base?.at && timezone.trim() === base.timezone && at === wallTime(base.at, base.timezone);
  return untouched ? base.at : at;
}

/** @param {PutSchedule|null} schedule  Null: a new one. @param {string} zone @param {string} owner @returns {Form} */
export function formOf(schedule, zone, owner) {
  const text = (/** @type {number|null|undefined} */ value) => (typeof value === "number" ? String(value) : "");
  return {
    id: schedule?.id ?? "", name: schedule?.name ?? "", kind: schedule?.kind ?? "swap",
    when: schedule?.at ? "at" : schedule?.every_seconds ? "every" : "cron",
    cron: schedule?.cron ?? (schedule ? "" : "0 3 * * *"), every: schedule?.every_seconds ? text(schedule.every_seconds / 60) : "",
    at: schedule?.at ? wallTime(schedule.at, schedule.timezone) : "", timezone: schedule?.timezone ?? zone,
    duration: text(schedule?.duration_minutes), model: schedule?.model ?? "", collection: schedule?.collection ?? "", keep: text(schedule?.keep), owner: schedule?.owner ?? owner, remark: schedule?.note ?? "",
    enabled: schedule?.enabled ?? true, make_up: schedule?.misfire.policy === "run_once", within: text(schedule?.misfire.within_minutes) || "60",
    missed_after: text(schedule?.missed_after_minutes),
  };
}

/**
 * @param {Form} form @param {PutSchedule|null} base  What it was: what the form does not show stays.
 * @returns {{schedule: Partial<PutSchedule>, problems: Map<string, FieldProblem[]>}}
 */
export function scheduleOf(form, base) {
  /** @type {Map<string, FieldProblem[]>} */
  const problems = new Map();
  /** @param {string} field @param {string} message */
  const wrong = (field, message) => problems.set(field, [{ field, message, severity: "error", near: [] }]);
  /** @param {string} field @param {string} text @param {boolean} [needed] */
  const minutes = (field, text, needed = false) => {
    if (text.trim() === "" && !needed) return null;
    const value = positive(text);
    if (value === null) wrong(field, "Write a number of minutes.");
    return value;
  };
  const outside = form.kind === "outside";
  if (!ID.test(form.id)) wrong("id", "Letters, digits, - and _, the first one a letter or digit, at most 64.");
  if (form.when === "cron" && form.cron.trim() === "") wrong("cron", "Write five fields: minute, hour, day, month, day of the week.");
  if (form.when === "at" && form.at === "") wrong("at", "Say when.");
  if (form.kind === "swap" && form.model === "") wrong("model", "Choose the model to swap to.");
  const snapshot = form.kind === "snapshot";
  const keep = snapshot && form.keep.trim() !== "" ? Number(form.keep) : null;
  if (snapshot && form.collection.trim() === "") wrong("collection", "Name the collection.");
  if (keep !== null && !(Number.isInteger(keep) && keep >= 1 && keep <= 50)) wrong("keep", "Write a whole number from 1 to 50, or nothing.");
  const every = form.when === "every" ? minutes("every_seconds", form.every, true) : null;
  const takesModel = outside || form.kind === "swap" || form.kind === "warm";
  const schedule = {
    ...(base ?? {}),
    id: form.id, name: form.name.trim() || null, kind: form.kind, timezone: form.timezone.trim() || "UTC",
    cron: form.when === "cron" ? form.cron.trim() : null, every_seconds: every === null ? null : every * 60, at: form.when === "at" ? momentOf(form, base) : null,
    duration_minutes: minutes("duration_minutes", form.duration), model: takesModel ? form.model || null : null,
    service: form.kind === "restart" ? "vllm" : null, collection: snapshot ? form.collection.trim() : null, keep, owner: form.owner.trim() || "someone", note: form.remark.trim(), enabled: form.enabled,
    misfire: { policy: form.make_up ? /** @type {const} */ ("run_once") : /** @type {const} */ ("skip"), within_minutes: (form.make_up && !outside ? minutes("misfire", form.within, true) : null) ?? 60 },
    missed_after_minutes: outside ? minutes("missed_after_minutes", form.missed_after) : null,
  };
  return { schedule, problems };
}
