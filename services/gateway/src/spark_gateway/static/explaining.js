// @ts-check
// The explanation of pending commits, word by word: server-sent events read from the answer to a POST.

import { Refusal, refusalOf } from "./api.js";

/** @typedef {{text: string, reasoning: string, done: boolean, cut: boolean, problem: string}} Explanation  `cut`: it was longer than the model may say. */

/** @returns {Explanation} */
export function nothingYet() {
  return { text: "", reasoning: "", done: false, cut: false, problem: "" };
}

/**
 * Whole events out of what was read so far, and the rest that waits for more.
 * @param {string} read
 * @returns {{events: {event: string, data: string}[], rest: string}}
 */
export function framesOf(read) {
  const blocks = read.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.map((block) => {
    const lines = block.split("\n").map((line) => /^([a-z]+): ?(.*)$/.exec(line)).filter((line) => line !== null);
    const of = (/** @type {string} */ name) => lines.filter((line) => line[1] === name).map((line) => line[2]);
    return { event: of("event")[0] ?? "message", data: of("data").join("\n") };
  });
  return { events: events.filter((each) => each.data !== ""), rest };
}

/**
 * The explanation with one more event: a piece of what is thought, or of what is said.
 * @param {Explanation} so
 * @param {{event: string, data: string}} frame
 * @returns {Explanation}
 */
export function heard(so, { event, data }) {
  const said = readable(data);
  const piece = typeof said.text === "string" ? said.text : "";
  switch (event) {
    case "reasoning":
      return { ...so, reasoning: so.reasoning + piece };
    case "text":
      // A model without a parser tells late that all it said so far was thinking.
      return said.replace ? { ...so, reasoning: so.text + so.reasoning, text: piece } : { ...so, text: so.text + piece };
    case "error":
      return { ...so, problem: said.message || "The model stopped in the middle." };
    case "done":
      return { ...so, done: true, cut: said.cut === true };
    default:
      return so;
  }
}

/** @param {string} data @returns {any} */
function readable(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}

/** What stands where the explanation grows. @param {Explanation} so @returns {string} */
export function explainedWords({ text, reasoning, done, cut, problem }) {
  const waits = done ? "It said nothing." : reasoning ? "It is thinking." : "It is reading the changes.";
  const end = cut ? "It ends here because it became too long." : "";
  return [text.trim() || (problem ? "" : waits), problem || end].filter(Boolean).join("\n\n");
}

/**
 * Ask the loaded model; `each` is called with the explanation as it grows.
 * @param {(so: Explanation) => void} each
 * @returns {Promise<Explanation>}
 */
export async function explainUpdates(each) {
  let so = nothingYet();
  let rest = "";
  const response = await fetch("api/explain-updates", {
    method: "POST",
    headers: { accept: "text/event-stream", "content-type": "application/json" },
    body: "{}",
  }).catch(() => {
    throw new Refusal("No answer", "spark-control did not answer. Try again in a moment.", "no_answer");
  });
  if (!response.ok || !response.body) throw refusalOf(response.status, await response.json().catch(() => null));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const { events, rest: left } = framesOf(rest + piece.value);
      rest = left;
      for (const frame of events) so = heard(so, frame);
      each(so);
    }
  } catch {
    // Cut off: it ends without a last word, as below.
  }
  const ended = so.done || so.problem !== "";
  so = { ...so, done: true, problem: ended ? so.problem : "The connection was lost in the middle." };
  each(so);
  return so;
}
