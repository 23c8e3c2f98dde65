// @ts-check
// What the reservation means for the reader: who, why, until when, who waits, and what can be pressed.

import { ago, asSentence, clockTime, dayTime, roughly } from "./format.js";
import { isMine, leaseLeft, ownPlace } from "./reduce-lease.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types-lease.js").LeaseView} LeaseView */
/** @typedef {{label: string, wish: string, tone: "btn"|"btn quiet"|"btn danger"|"btn primary", icon?: string}} Press */
/**
 * @typedef {object} LeaseLook
 * @property {"warn"|"now"|"idle"} tone
 * @property {string} icon
 * @property {string} title  Without the time left, which changes every second.
 * @property {string} left  The time left.
 * @property {string} text
 * @property {{key: string, mine: boolean, words: string}[]} line
 * @property {{key: string, words: string}[]} yields
 * @property {Press[]} press
 */

const EXPIRING_SECONDS = 60;

/** @type {Press} */
const JOIN = { label: "Stand in line…", wish: "open-reserve", tone: "btn", icon: "clock" };
/** @type {Press} */
const RELEASE = { label: "Release…", wish: "release-lease", tone: "btn" };
/** @type {Press} */
const FORCE = { label: "Release…", wish: "force-release", tone: "btn" };
/** @type {Press} */
const YIELD = { label: "Ask to release by…", wish: "open-yield", tone: "btn" };
/** @type {Press} */
const EXTEND = { label: "Extend…", wish: "open-extend", tone: "btn" };
/** @type {Press} */
const LEAVE = { label: "Leave the line", wish: "leave-line", tone: "btn" };

/** When it ends, on the clock of the reader. @param {State} state @param {number} now */
export function leaseEnd(state, now) {
  const left = leaseLeft(state, now);
  return left === null ? null : now + left * 1000;
}

/** @param {number} moment milliseconds @param {number} now */
function shortTime(moment, now) {
  const far = new Date(moment).toDateString() !== new Date(now).toDateString();
  return far ? dayTime(new Date(moment).toISOString(), now) : clockTime(moment);
}

/** @param {State} state @param {number} now */
function yieldsOf(state, now) {
  return (state.lease?.yields ?? []).map((each) => {
    const by = each.by ? ` by ${shortTime(Date.parse(each.by), now)}` : "";
    const note = each.note ? `: ${each.note}` : "";
    return { key: `${each.at} ${each.requested_by}`, words: `${each.requested_by} asks to release it${by}${note} (${ago(each.at, now)})` };
  });
}

/** @param {State} state @param {number} now */
function lineOf(state, now) {
  return (state.lease?.queue ?? []).map((each) => {
    const eta = typeof each.eta_seconds === "number" ? `, at ${shortTime(state.leaseAt + each.eta_seconds * 1000, now)} at the latest` : "";
    const mine = state.holding?.state === "waiting" && state.holding.ticket === each.ticket;
    const who = mine ? `${each.holder} (this page)` : each.holder;
    return { key: each.ticket, mine, words: `${each.position}. ${who}${eta}` };
  });
}

/**
 * What the banner shows; null when nobody reserved anything and nobody waits.
 * @param {State} state @param {number} now milliseconds @returns {LeaseLook|null}
 */
export function leaseLook(state, now) {
  const { lease } = state;
  if (state.heardAt === 0 || state.link !== "live") return null;
  if (!lease) {
    if (!state.bus.connected || !state.menu) return null; // that is said already, and is the cause
    return {
      tone: "idle", icon: "lock", title: "Reservation unknown", left: "", line: [], yields: [], press: [],
      text: "The part that keeps reservations does not answer. A swap is checked against them when it starts.",
    };
  }
  const common = { line: lineOf(state, now), yields: yieldsOf(state, now) };
  const place = ownPlace(state);
  const more = state.holding ? [] : [JOIN];
  if (lease.state === "free") {
    if (common.line.length === 0) return null;
    return { tone: "warn", icon: "clock", title: "Free, and somebody waits", left: "", text: "The first in line gets it.", press: place ? [LEAVE] : more, ...common };
  }
  if (isMine(state)) return { ...mine(state, now), ...common };
  const left = leaseLeft(state, now);
  const end = leaseEnd(state, now);
  const until = end === null ? "" : ` until ${shortTime(end, now)}`;
  const holder = lease.holder ?? "somebody";
  const waits = place ? "You wait in line; keep this page in view, a hidden one loses its place. " : "";
  const press = place ? [LEAVE, YIELD, FORCE] : [...more, YIELD, FORCE];
  const reason = lease.reason ? `Reason: ${asSentence(lease.reason)} ` : "";
  if (lease.state === "draining") {
    return {
      tone: "warn", icon: "busy", title: `The reservation of ${holder} is over`, left: left === null ? "" : `at most ${roughly(left)} more`,
      text: `${waits}What it began is being finished. Then the next one may start.`, press: place ? [LEAVE] : more, ...common,
    };
  }
  if (lease.state === "granted") {
    return {
      tone: "warn", icon: "clock", title: `Kept for ${holder}, who is next`, left: left === null ? "" : `${roughly(left)} to take it up`,
      text: `${reason}Not taken up in time, it passes on.`, press: place ? [LEAVE] : [...more, FORCE], ...common,
    };
  }
  return {
    tone: "warn", icon: "lock", title: `Reserved by ${holder}${until}`, left: left === null ? "" : `${roughly(left)} left`,
    text: `${reason}${waits}Swaps by anyone else are paused; chat keeps working.`, press, ...common,
  };
}

/** @param {State} state @param {number} now @returns {Omit<LeaseLook, "line"|"yields">} */
function mine(state, now) {
  const left = leaseLeft(state, now) ?? 0;
  const end = shortTime(now + left * 1000, now);
  const reason = state.lease?.reason ? `Reason: ${asSentence(state.lease.reason)} ` : "";
  const soon = left <= EXPIRING_SECONDS;
  return {
    tone: soon ? "warn" : "now", icon: soon ? "warn" : "lock",
    title: soon ? "Your reservation ends soon" : `Reserved by you until ${end}`,
    left: `${roughly(left)} left`,
    text: `${reason}Only this page may swap. It ends by itself.`,
    press: [EXTEND, RELEASE],
  };
}

/**
 * Why one may not swap now, and over whose head it would be; null when it is free or ours.
 * @param {State} state @param {number} now @returns {{reason: string, text: string, holder: string}|null}
 */
export function reserved(state, now) {
  const { lease } = state;
  if (!lease || lease.state === "free" || isMine(state)) return null;
  const holder = lease.holder ?? "somebody";
  const end = leaseEnd(state, now);
  if (lease.state === "draining") {
    return { holder, reason: "A reservation is just ending", text: `What ${holder} began is being finished.` };
  }
  if (lease.state === "granted") {
    return { holder, reason: `Kept for ${holder}`, text: `${holder} is next in line and may take it up now.` };
  }
  const until = end === null ? "" : ` until ${shortTime(end, now)}`;
  return { holder, reason: `Reserved${until}`, text: `${holder} has reserved the Sparks${until}.` };
}
