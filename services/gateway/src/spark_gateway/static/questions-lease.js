// @ts-check
// The wording of the questions about reservations: whose it is, what stops, what stays.

import { duration, roughly } from "./format.js";
import { leaseLeft } from "./reduce-lease.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./elements/confirm-dialog.js").Question} Question */
/** @typedef {import("./elements/confirm-dialog.js").Effect} Effect */

/** @param {State} state @param {number} now */
function timeOf(state, now) {
  const left = leaseLeft(state, now);
  const held = state.lease?.since ? (now - Date.parse(state.lease.since)) / 1000 : null;
  const used = held !== null && held >= 0 ? `It has been held for ${duration(Math.floor(held / 60) * 60 || held)}. ` : "";
  return left === null ? used.trim() : `${used}It would go on for ${roughly(left)}.`;
}

/** @param {State} state @returns {Effect} */
function nextEffect({ lease }) {
  const first = lease?.queue[0];
  return { kind: "keep", icon: "ok", what: "Nothing stops now.", how: `The loaded model stays. ${first ? `${first.holder} is next in line.` : "Nobody waits in line."}` };
}

/** Somebody else's reservation is ended. @param {State} state @param {number} now @returns {Question} */
export function forceQuestion(state, now) {
  const holder = state.lease?.holder ?? "somebody";
  return {
    title: `End the reservation of ${holder}?`,
    effects: [
      { kind: "stop", icon: "warn", what: `What ${holder} does may fail.`, how: `It is told that the reservation ended; what it does then is up to it. ${timeOf(state, now)}`.trim() },
      { kind: "keep", icon: "info", what: "More politely:", how: "“Ask to release by…” takes nothing away." },
      nextEffect(state),
    ],
    safe: "Keep the reservation",
    go: "End it now",
    tone: "danger-fill",
  };
}

/** @param {State} state @returns {Question} */
export function releaseQuestion(state) {
  return {
    title: "Release your reservation?",
    effects: [nextEffect(state), { kind: "keep", icon: "info", what: "Anybody may swap then.", how: "Your own swap that runs goes on." }],
    safe: "Keep it",
    go: "Release it",
    tone: "primary",
  };
}

/**
 * A swap through the reservation of somebody else.
 * @param {Question} plain @param {{name: string}} model @param {string} over  Who had it when it was pressed.
 * @param {State} state @param {number} now @returns {Question}
 */
export function overQuestion(plain, model, over, state, now) {
  return {
    ...plain,
    title: `Switch to ${model.name} though ${over} has reserved the Sparks?`,
    effects: [
      { kind: "stop", icon: "warn", what: `What ${over} does may fail.`, how: `The model is exchanged under it. ${timeOf(state, now)}`.trim() },
      ...plain.effects,
    ],
    safe: "Keep the reservation",
    go: "Swap anyway",
    tone: "danger-fill",
  };
}
