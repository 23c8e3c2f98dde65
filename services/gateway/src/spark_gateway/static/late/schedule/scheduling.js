// @ts-check
// What a schedule is in words: when it repeats, who runs it, how it went last time, what it clashes with.

import { asSentence, capital, clockTime, coming, dayName, dayNumber, dayTime, duration } from "../../format.js";

/** @typedef {import("../../types-owner.js").ScheduleView} ScheduleView */
/** @typedef {import("../../types-owner.js").PutSchedule} PutSchedule */
/** @typedef {import("../../types-owner.js").CalendarEntry} CalendarEntry */
/** @typedef {import("../../types-owner.js").Calendar} Calendar */
/** @typedef {import("../../types.js").Tone} Tone */
/** @typedef {{tone: Tone, icon: string, word: string}} Pill */

const FOLD_FROM = 4;
export const WEEK_DAYS = 7;
/** Of the next runs, beside a schedule. */
export const RUNS_TOLD = 3;

/** @type {Record<PutSchedule["kind"], string>} */
export const KINDS = {
  outside: "Another program runs it",
  swap: "Swap to a model",
  warm: "Warm a model up",
  restart: "Load the model afresh",
  sweep: "Check the health of everything",
  snapshot: "Snapshot a collection of Qdrant",
};

/** @type {Record<import("../../types-owner.js").RunState, Pill>} */
const STATES = {
  planned: { tone: "line", icon: "clock", word: "Planned" },
  running: { tone: "now", icon: "busy", word: "Running" },
  done: { tone: "ok", icon: "ok", word: "Done" },
  failed: { tone: "bad", icon: "bad", word: "Failed" },
  missed: { tone: "warn", icon: "warn", word: "Missed" },
  skipped: { tone: "idle", icon: "idle", word: "Skipped" },
};

/** @param {import("../../types-owner.js").RunState} state */
export const statePill = (state) => STATES[state];

/** @param {PutSchedule["kind"]} kind @returns {Pill} */
export function runBy(kind) {
  return kind === "outside" ? { tone: "line", icon: "out", word: "Other program" } : { tone: "now", icon: "star", word: "spark-control" };
}

/** @param {PutSchedule} schedule */
export function repeats(schedule) {
  if (schedule.cron) return `${schedule.cron} (${schedule.timezone})`;
  return schedule.every_seconds ? `every ${duration(schedule.every_seconds)}` : "once";
}

/** @param {ScheduleView} view @param {number} now */
export function nextWords({ schedule, next_at }, now) {
  if (!schedule.enabled) return "Switched off";
  return next_at ? capital(coming(next_at, now)) : "No more";
}

/** How it went last time; null when it never ran. @param {ScheduleView} view @param {number} now */
export function lastWords({ last }, now) {
  return last ? runWords(last, now) : null;
}

/** @param {import("../../types-owner.js").Run} last @param {number} now */
export function runWords(last, now) {
  const took = last.started_at && last.finished_at ? `, took ${duration((Date.parse(last.finished_at) - Date.parse(last.started_at)) / 1000)}` : "";
  return { key: last.id, pill: STATES[last.state], words: `${dayTime(last.nominal, now)}${took}`, message: last.message };
}

/** Clashes of all schedules, earliest first; two that clash again and again are told once. @param {ScheduleView[]} views @param {number} now */
export function clashes(views, now) {
  const all = views.flatMap(({ schedule, conflicts }) => conflicts.map(({ at, other_id, sentence }) => (
    { at, sentence, name: schedule.name ?? schedule.id, key: [schedule.id, other_id ?? "the reservation"].sort().join(" ") }
  ))).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return [...new Set(all.map(({ key }) => key))].map((key) => {
    const same = all.filter((each) => each.key === key);
    const [{ at, name, sentence }] = same;
    const more = new Set(same.map((each) => each.at)).size - 1;
    const again = more > 0 ? ` ${more} more ${more === 1 ? "time" : "times"} in the coming week.` : "";
    return { key, title: `Clash ${coming(at, now)}: ${name}`, text: `${asSentence(sentence)}${again}` };
  });
}

/**
 * The days of a calendar, each with its lines; many runs of one schedule on one day are one line.
 * @param {Calendar} calendar @param {number} now
 * @returns {{key: string, name: string, nothing: string, lines: {key: string, time: string, name: string, more: string, pill: Pill|null, clash: string}[]}[]}
 */
export function weekOf(calendar, now) {
  const first = new Date(now);
  const last = calendar.cut ? dayNumber(new Date(calendar.entries.at(-1)?.at ?? now)) : Infinity;
  return Array.from({ length: WEEK_DAYS }, (_, offset) => {
    const day = new Date(first.getFullYear(), first.getMonth(), first.getDate() + offset);
    const entries = calendar.entries.filter((entry) => dayNumber(new Date(entry.at)) === dayNumber(day));
    const name = offset === 0 ? `Today, ${dayName(day)}` : dayName(day);
    const lines = [...new Set(entries.map((entry) => entry.schedule_id))]
      .flatMap((id) => linesOf(entries.filter((entry) => entry.schedule_id === id)))
      .sort((a, b) => a.at - b.at);
    const held = offset === 0 ? leaseLine(calendar) : [];
    const nothing = dayNumber(day) > last ? "Too much to show" : "Nothing planned";
    return { key: String(dayNumber(day)), name, nothing, lines: [...held, ...lines] };
  });
}

/** @param {Calendar} calendar */
function leaseLine({ lease_holder, lease_until }) {
  if (!lease_holder) return [];
  const until = lease_until ? `until ${clockTime(lease_until)}` : "now";
  return [{ key: "lease", time: until, name: lease_holder, more: "", pill: /** @type {Pill} */ ({ tone: "warn", icon: "lock", word: "Reserved" }), clash: "" }];
}

/** Of one schedule on one day. @param {CalendarEntry[]} entries */
function linesOf(entries) {
  const more = entries[0].model ?? "";
  const clash = entries.flatMap((entry) => entry.conflicts.map((each) => each.sentence))[0] ?? "";
  if (entries.length >= FOLD_FROM) {
    const [from, to] = [entries[0].at, /** @type {CalendarEntry} */ (entries.at(-1)).at];
    const bad = entries.filter((entry) => entry.state === "failed" || entry.state === "missed");
    const pill = bad.length > 0 ? { ...STATES[bad[0].state], word: `${bad.length} ${STATES[bad[0].state].word.toLowerCase()}` } : null;
    return [{ key: entries[0].schedule_id, at: Date.parse(from), time: `${clockTime(from)} to ${clockTime(to)}`, name: entries[0].name, more: `${entries.length} times${more ? `, ${more}` : ""}`, pill, clash }];
  }
  return entries.map((entry) => {
    const ends = entry.until !== entry.at ? ` to ${clockTime(entry.until)}` : "";
    const pill = entry.state === "planned" ? null : STATES[entry.state];
    return { key: `${entry.schedule_id} ${entry.at}`, at: Date.parse(entry.at), time: `${clockTime(entry.at)}${ends}`, name: entry.name, more, pill, clash: entry.conflicts[0]?.sentence ?? "" };
  });
}

/**
 * How it stands with the home model; null when there is none.
 * @param {import("../../types-owner.js").HomeView|null} home @param {number} now
 * @returns {{tone: Tone, icon: string, title: string, text: string}|null}
 */
export function homeLook(home, now) {
  if (!home || home.state === "off") return null;
  const bad = home.state === "blocked" || home.state === "backing_off";
  const next = home.next_try_at ? ` Next try ${coming(home.next_try_at, now)}.` : "";
  return { tone: bad ? "warn" : "idle", icon: bad ? "warn" : "home", title: `Home model: ${home.model ?? "unknown"}`, text: `${home.sentence}${next}` };
}

/** The next runs of one schedule, in words. @param {Calendar|null} calendar @param {string} id @param {number} now */
export function nextRuns(calendar, id, now) {
  return (calendar?.entries ?? []).filter((entry) => entry.schedule_id === id && Date.parse(entry.at) > now)
    .slice(0, RUNS_TOLD).map((entry) => coming(entry.at, now));
}
