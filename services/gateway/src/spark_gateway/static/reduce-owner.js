// @ts-check
// What was asked for by the parts of the page that are not told by themselves: schedules, messages, accounts, keys, requests.

/** @typedef {import("./types.js").State} State */
/** @typedef {"schedules"|"calendar"|"home"|"collections"|"targets"|"deliveries"|"accounts"|"letters"|"keys"|"requests"} Name */
/** @typedef {Partial<Record<Name, {value: any, problem: string}>>} Known  `value` is the last answer there was; `problem` why there is no newer one. */

/** @param {State} state @param {{name: Name, value?: any, problem?: string}} heard @returns {State} */
export function onKnown(state, { name, value, problem = "" }) {
  const kept = value === undefined ? state.known[name]?.value ?? null : value;
  return { ...state, known: { ...state.known, [name]: { value: kept, problem } } };
}
