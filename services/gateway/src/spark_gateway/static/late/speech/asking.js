// @ts-check
// Questions to the speech service: recordings up, words and sound down.

import { refusalWords } from "./looks.js";

/** Where the owner asks for keys, speech takes one that may infer: kept here, for as long as the page is open. */
const entrance = { key: "", wanted: () => {} };

/** @param {() => void} listener  Is called when a key is asked for. */
export function whenKeyIsWanted(listener) {
  entrance.wanted = listener;
}

/** @param {string} text */
export function useKey(text) {
  entrance.key = text.trim();
}

/** @param {string} path @param {{method?: string, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [options] @returns {Promise<Response>} raises Error with words for people */
async function asked(path, options) {
  const shown = entrance.key ? { authorization: `Bearer ${entrance.key}` } : {};
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { ...options?.headers, ...shown } });
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new Error("spark-control did not answer, or the connection broke.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 || answer.status === 403) entrance.wanted();
  const said = await answer.json().catch(() => null);
  const refused = new Error(refusalWords(answer.status, said));
  refused.name = said?.error?.code ?? said?.code ?? "refused";
  throw refused;
}

export async function standing() {
  return (await asked("api/audio/status", { signal: AbortSignal.timeout(8000) })).json();
}

/** @returns {Promise<import("./looks.js").Voice[]>} */
export async function voices() {
  return (await (await asked("v1/audio/voices")).json()).voices;
}

/**
 * Who said what; without speakers where the server cannot tell them apart.
 * @param {Blob} recording @param {string} name @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function hear(recording, name, signal) {
  try {
    return await (await asked("api/audio/transcribe-with-speakers", { method: "POST", body: form(recording, name), signal })).json();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "diarization_unavailable") throw error;
  }
  const body = form(recording, name);
  body.append("response_format", "verbose_json");
  const said = await (await asked("v1/audio/transcriptions", { method: "POST", body, signal })).json();
  const segments = (said.segments ?? []).map((/** @type {any} */ each) => ({ start_ms: each.start * 1000, end_ms: each.end * 1000, speaker: null, text: each.text }));
  return { duration: said.duration, speakers_detected: [], segments };
}

/** @param {string} input @param {string} voice @param {number} speed @param {AbortSignal} signal @returns {Promise<Blob>} */
export async function speak(input, voice, speed, signal) {
  const body = JSON.stringify({ model: "tts-1", input, voice, speed });
  const answer = await asked("v1/audio/speech", { method: "POST", headers: { "content-type": "application/json" }, body, signal });
  try {
    return await answer.blob();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error("The voice broke off in the middle. Try again.");
  }
}

/** @param {Blob} recording @param {string} name */
function form(recording, name) {
  const body = new FormData();
  body.append("file", recording, name);
  return body;
}
