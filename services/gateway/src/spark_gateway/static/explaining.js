// @ts-check
// The explanation of pending commits, word by word: server-sent events read from the answer to a POST.

import { Refusal, refusalOf } from "./api.js";

/** @typedef {{text: string, reasoning: string, done: boolean, problem: string}} Explanation */

/** @returns {Explanation} */
export function nothingYet() {
  return { text: "", reasoning: "", done: false, problem: "" };
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
 * The explanation with one more event: chunks as chat completions have them, or a named piece of text.
 * @param {Explanation} so
 * @param {{event: string, data: string}} frame
 * @returns {Explanation}
 */
export function heard(so, { event, data }) {
  if (data === "[DONE]" || event === "done") return { ...so, done: true };
  let said;
  try {
    said = JSON.parse(data);
  } catch {
    return so;
  }
  const wrong = event === "error" ? said : said?.error;
  if (wrong) return { ...so, problem: wrong.detail ?? wrong.message ?? "The model stopped in the middle." };
  const delta = said?.choices?.[0]?.delta ?? said?.delta ?? {};
  const plain = [delta, said?.text].find((each) => typeof each === "string") ?? "";
  const thought = delta.reasoning ?? delta.reasoning_content ?? said?.reasoning ?? (event === "reasoning" ? plain : "");
  const words = delta.content ?? said?.content ?? (event === "reasoning" ? "" : plain);
  return { ...so, text: so.text + words, reasoning: so.reasoning + thought };
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
    so = { ...so, problem: "The connection was lost in the middle." };
  }
  so = { ...so, done: true };
  each(so);
  return so;
}
