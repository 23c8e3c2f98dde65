// @ts-check
// Questions to the models through the gateway's own /v1, as every app asks them.

import { ask } from "../../api.js";
import { asked } from "../data-plane.js";
import { EventLines, pieceOf } from "./stream.js";

/** @typedef {{role: "system"|"user"|"assistant", content: string}} Message */
/** @typedef {{model: string, messages: Message[], temperature: number|null, longest: number|null}} Wanted */

const JSON_HEADERS = { "content-type": "application/json" };

/**
 * Ask, and hear every piece of the answer.
 * @param {Wanted} wanted @param {AbortSignal} signal
 * @param {{piece: (piece: import("./stream.js").Piece) => void, comment: (text: string) => void}} hear
 * @returns {Promise<boolean>} whether the stream came to its own end
 */
export async function chat({ model, messages, temperature, longest }, signal, hear) {
  const body = JSON.stringify({
    model, messages, stream: true, stream_options: { include_usage: true },
    ...(temperature === null ? {} : { temperature }), ...(longest === null ? {} : { max_tokens: longest }),
  });
  const answer = await asked("v1/chat/completions", { method: "POST", headers: { ...JSON_HEADERS, accept: "text/event-stream" }, body, signal });
  if (!/event-stream/.test(answer.headers.get("content-type") ?? "")) {
    hear.piece(pieceOf(await answer.text())); // a server that does not stream answers all at once
    return true;
  }
  if (!answer.body) return false;
  const lines = new EventLines();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let ended = false; ; ) {
    const { value, done } = await reader.read();
    const { data, comments } = lines.push(done ? "\n" : value);
    comments.forEach(hear.comment);
    for (const piece of data.map(pieceOf)) {
      ended = ended || piece.done || piece.error !== null;
      hear.piece(piece);
    }
    if (done) return ended;
  }
}

/** Models that turn a text into numbers. @returns {Promise<string[]>} */
export async function embedders() {
  const { data } = await (await asked("v1/models", { signal: AbortSignal.timeout(8000) })).json();
  const found = data.filter((/** @type {any} */ each) => each.kind === "embedding" || each.capabilities?.includes("embeddings"));
  const ready = found.filter((/** @type {any} */ each) => (each.status?.value ?? "loaded") === "loaded");
  return (ready.length > 0 ? ready : found).map((/** @type {any} */ each) => each.id);
}

/** @param {string} model @param {string[]} input @param {AbortSignal} signal @returns {Promise<{model: string, data: {index: number, embedding: number[]}[]}>} */
export async function embed(model, input, signal) {
  const body = JSON.stringify({ model, input, encoding_format: "float" });
  return (await asked("v1/embeddings", { method: "POST", headers: JSON_HEADERS, body, signal })).json();
}

/** @returns {Promise<{collections: {name: string, points: number|null, problem: string|null}[]}>} */
export function collections() {
  return ask("api/search/collections");
}

/** @param {{collection: string, query: string, mode: string, limit: number, rerank: boolean}} wanted */
export function find(wanted) {
  return ask("api/search", { method: "POST", body: wanted, patience: 60_000 });
}
