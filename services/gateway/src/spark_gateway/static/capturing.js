// @ts-check
// The capture of bodies, in words: nobody may be listened to without seeing it.

import { clockTime, count } from "./format.js";

/**
 * @param {import("./types.js").State} state
 * @param {number} now milliseconds
 * @returns {{title: string, text: string}|null}
 */
export function captureNotice({ capture }, now) {
  if (!capture?.on || !capture.until || Date.parse(capture.until) <= now) return null;
  const kept = capture.kept === 1 ? "1 request is kept so far" : `${count(capture.kept)} requests are kept so far`;
  return {
    title: "What is asked and answered is being recorded",
    text: `${capture.requested_by} switched it on. ${kept}; at ${clockTime(capture.until)} it ends and all of it is deleted.`,
  };
}
