// @ts-check
// Logs that grow by numbered events, and phases that end when the next one begins.

/** @typedef {import("./types.js").SwapLog} SwapLog */
/** @typedef {import("./types.js").PhaseMark} PhaseMark */

/** Lines of a log that stay in the page; a run-away launch must not fill the browser. */
export const LOG_LIMIT = 2000;

/**
 * The log with what one event adds; the same log when the event is not news.
 * @param {SwapLog|null} log
 * @param {string} id
 * @param {{n: number, at: string, lines: string[]}} step
 * @param {string} begins  A line of our own where something begins, or nothing.
 * @returns {SwapLog|null}
 */
export function grown(log, id, step, begins) {
  const mine = log?.id === id ? log : { id, n: 0, dropped: 0, entries: [] };
  if (step.n <= mine.n) return log;
  const fresh = step.lines.map((text) => ({ at: step.at, text }));
  if (begins) fresh.unshift({ at: step.at, text: begins });
  const all = [...mine.entries, ...fresh];
  const over = Math.max(0, all.length - LOG_LIMIT);
  return { id, n: step.n, dropped: mine.dropped + over, entries: over > 0 ? all.slice(over) : all };
}

/** Marks of which the last one ends at a moment. @param {PhaseMark[]} marks @param {string} moment */
export function marksUntil(marks, moment) {
  return marks.map((mark, index) => (index === marks.length - 1 && mark.seconds == null
    ? { ...mark, seconds: Math.max(0, (Date.parse(moment) - Date.parse(mark.at)) / 1000) }
    : mark));
}
