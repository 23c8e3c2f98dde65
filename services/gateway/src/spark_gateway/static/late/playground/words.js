// @ts-check
// How an answer went, what it waits for, and why it did not come, as people read it. Pure.

import { asSentence, count, duration } from "../../format.js";
import { loadedModel, servingName } from "../../menu.js";
import { etaSentence, isChatAway, phaseWord, secondsLeft } from "../../phases.js";

/** @typedef {import("../../types.js").State} State */
/**
 * @typedef {object} Timing  Milliseconds of one clock; zero where it did not happen.
 * @property {number} asked
 * @property {number} first
 * @property {number} last
 * @property {number} pieces
 * @property {number|null} tokens  As the server counted them.
 * @property {boolean} held  Whether it waited for a model or for its turn.
 */

/** The swap that an answer would wait for. @param {State} state */
function comingSwap(state) {
  const swap = state.swaps?.current ?? null;
  if (!swap || swap.dry_run) return null;
  return isChatAway(swap.phase) || !servingName(state.menu) ? swap : null;
}

/** The name to ask for: whatever is loaded, or the model that is on its way. @param {State} state */
export function modelToAsk(state) {
  const swap = comingSwap(state);
  if (!swap || swap.phase === "rolling_back") return "auto";
  return state.menu?.models.find((each) => each.key === swap.model)?.served_name ?? "auto";
}

/**
 * Who would answer now.
 * @param {State} state @param {number} now milliseconds
 * @returns {{tone: import("../../types.js").Tone, icon: string, word: string, text: string, can: boolean}}
 */
export function whoAnswers(state, now) {
  const swap = comingSwap(state);
  const loaded = loadedModel(state.menu);
  if (state.link !== "live") return { tone: "idle", icon: "busy", word: "No connection", text: "Trying again.", can: false };
  if (swap) {
    const left = etaSentence(secondsLeft(swap, state.etaAt, now), swap);
    return { tone: "now", icon: "busy", word: "Swapping", text: `${swap.model_name}: ${phaseWord(swap.phase).toLowerCase()}. ${left}. A question that you send now waits for it.`, can: true };
  }
  const name = servingName(state.menu);
  if (!name) return { tone: "idle", icon: "idle", word: "No model is loaded", text: "Pick one, then ask it.", can: false };
  if (state.menu?.runtime.state === "degraded") return { tone: "warn", icon: "warn", word: name, text: asSentence(state.menu.runtime.detail ?? "It answers badly"), can: true };
  const chats = !loaded || loaded.capabilities.length === 0 || loaded.capabilities.includes("chat");
  if (!chats) return { tone: "warn", icon: "warn", word: name, text: "It is not made for chat. Pick another one, or use the fields below.", can: true };
  return { tone: "ok", icon: "ok", word: name, text: "", can: true };
}

/** While nothing came yet. @param {State} state @param {number} now @param {number} asked milliseconds @param {string} comment  What the gateway said meanwhile. */
export function waitingWords(state, now, asked, comment) {
  const waited = duration((now - asked) / 1000);
  const swap = comingSwap(state);
  if (swap) return `Waiting for ${swap.model_name}: ${phaseWord(swap.phase).toLowerCase()}, ${etaSentence(secondsLeft(swap, state.etaAt, now), swap).toLowerCase()}. ${waited} so far.`;
  const place = /number (\d+) in line/.exec(comment);
  if (place) return `Waiting for its turn, number ${place[1]} in line. ${waited} so far.`;
  return comment ? `Waiting for the model. ${waited} so far.` : `Reading the question. ${waited} so far.`;
}

/** @param {number} ms */
function seconds(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)}\u00a0s` : duration(ms / 1000);
}

/** @param {Timing} timing @returns {number|null} tokens per second between the first and the last; null where two are not enough */
export function tokensPerSecond({ first, last, pieces, tokens }) {
  const made = (tokens ?? pieces) - 1;
  return made > 0 && last > first ? made / ((last - first) / 1000) : null;
}

/** @param {Timing} timing @returns {{label: string, value: string}[]} */
export function timingFacts(timing) {
  if (timing.first === 0) return [];
  const rate = tokensPerSecond(timing);
  const about = timing.tokens === null ? "about " : "";
  return [
    { label: "First token after", value: `${seconds(timing.first - timing.asked)}${timing.held ? ", with the wait for the model" : ""}` },
    ...(rate === null ? [] : [{ label: "Tokens per second", value: `${about}${rate.toFixed(rate < 100 ? 1 : 0)}` }]),
    { label: "Tokens", value: `${about}${count(timing.tokens ?? timing.pieces)}` },
    { label: "In all", value: seconds(timing.last - timing.asked) },
  ];
}

/** How it ended, when not by itself. @param {string|null} finish @param {boolean} cut  The connection ended before the answer did. */
export function endWords(finish, cut) {
  if (finish === "length") return "It ended at the most tokens: raise “Longest answer”, or clear what was said before.";
  if (finish === "content_filter") return "The model held the rest back.";
  if (finish === "tool_calls") return "It wants to call a tool; there is none here.";
  return cut ? "The connection ended before the answer did. Ask again." : "";
}

/** @type {Record<string, string>} */
const WHAT_TO_DO = {
  no_model_loaded: "Pick a model on Home, then ask again.",
  model_not_loaded: "Pick a model on Home, then ask again.",
  model_load_failed: "Home says why; ask again when a model is loaded.",
  model_load_cancelled: "Ask again when a model is loaded.",
  model_loading: "Ask again when the swap is done.",
  gpu_reserved: "Ask again when it is released.",
  missing_api_key: "Enter a key above, then ask again.",
  invalid_api_key: "Enter another key above, then ask again.",
  insufficient_scope: "Enter a key that may infer, then ask again.",
  context_length_exceeded: "Clear the conversation, or ask for a shorter answer.",
};

/** What to press after it went wrong. @param {string} code */
export function remedyFor(code) {
  return WHAT_TO_DO[code] ?? "Ask again.";
}

/** A number of a field, or why it is none. @param {string} text @param {{least: number, most: number, whole: boolean}} bounds @returns {{value: number|null, problem: string}} */
export function numberOf(text, { least, most, whole }) {
  if (text.trim() === "") return { value: null, problem: "" };
  const value = Number(text.trim().replace(",", "."));
  const fits = Number.isFinite(value) && value >= least && value <= most && (!whole || Number.isInteger(value));
  return fits ? { value, problem: "" } : { value: null, problem: `${whole ? "A whole number" : "A number"} from ${count(least)} to ${count(most)}, or nothing.` };
}

/** How alike two vectors are: 1 the same direction. @param {number[]} one @param {number[]} two */
export function likeness(one, two) {
  let dot = 0, a = 0, b = 0;
  for (let index = 0; index < one.length; index += 1) {
    dot += one[index] * two[index];
    a += one[index] ** 2;
    b += two[index] ** 2;
  }
  return a > 0 && b > 0 ? dot / Math.sqrt(a * b) : 0;
}

/** What to read of a payload: its usual field of text, or all of it. @param {any} payload */
export function payloadText(payload) {
  if (payload === null || typeof payload !== "object") return "";
  for (const name of ["text", "content", "page_content", "chunk", "body", "title"]) if (typeof payload[name] === "string") return payload[name];
  return JSON.stringify(payload);
}
