// @ts-check
// What was asked for by the parts of the page that are not told by themselves: schedules, messages, accounts, keys, requests.

/** @typedef {import("./types.js").State} State */
/** @typedef {"schedules"|"calendar"|"home"|"collections"|"targets"|"deliveries"|"accounts"|"letters"|"keys"|"requests"|"hardware"|"charts"|"advice"|"services"|"deep"|"speech"|"scopes"|"nim"|"bridge"|"connectivity"|"settings"} Name */
/** @typedef {Partial<Record<Name, {value: any, problem: string, at: number}>>} Known  `value` is the last answer there was, `at` when it came in milliseconds; `problem` why there is no newer one. */

/** @param {State} state @param {{name: Name, value?: any, problem?: string}} heard @param {number} now @returns {State} */
export function onKnown(state, { name, value, problem = "" }, now) {
  const old = state.known[name];
  const next = value === undefined ? { value: old?.value ?? null, problem, at: old?.at ?? 0 } : { value, problem, at: now };
  return { ...state, known: { ...state.known, [name]: next } };
}
