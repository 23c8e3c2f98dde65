// @ts-check
// An event stream of the OpenAI API, read piece by piece. Pure.

/**
 * @typedef {object} Piece  What one event added.
 * @property {string} text
 * @property {string} thought
 * @property {string} tool  Arguments of a call, as far as they came.
 * @property {string|null} finish
 * @property {number|null} tokens  Of the whole answer, when the server counted them.
 * @property {{message: string, code: string}|null} error
 * @property {boolean} done
 */

/** Turns bytes that were decoded into lines of data; comments are told apart. */
export class EventLines {
  #rest = "";

  /** @param {string} text @returns {{data: string[], comments: string[]}} */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return {
      data: lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, "")),
      comments: lines.filter((line) => line.startsWith(":")).map((line) => line.slice(1).trim()),
    };
  }
}

/** @returns {Piece} */
function nothing() {
  return { text: "", thought: "", tool: "", finish: null, tokens: null, error: null, done: false };
}

/** @param {unknown} value */
const word = (value) => (typeof value === "string" ? value : "");

/** What a line of data says; what cannot be read adds nothing. @param {string} data @returns {Piece} */
export function pieceOf(data) {
  if (data.trim() === "[DONE]") return { ...nothing(), done: true };
  let said;
  try {
    said = JSON.parse(data);
  } catch {
    return nothing();
  }
  if (said?.error) {
    const message = word(said.error.message) || word(said.error) || "The model broke off.";
    return { ...nothing(), error: { message, code: word(said.error.code) } };
  }
  const choice = said?.choices?.[0];
  const delta = choice?.delta ?? choice?.message ?? {};
  const calls = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
  return {
    ...nothing(),
    text: word(delta.content) || word(delta.refusal),
    thought: word(delta.reasoning_content) || word(delta.reasoning),
    tool: calls.map((/** @type {any} */ call) => word(call?.function?.name) + word(call?.function?.arguments)).join(""),
    finish: word(choice?.finish_reason) || null,
    tokens: typeof said?.usage?.completion_tokens === "number" ? said.usage.completion_tokens : null,
  };
}
