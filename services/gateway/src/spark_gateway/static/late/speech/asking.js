// @ts-check
// Questions to the speech service: recordings up, words and sound down.

import { asked } from "../data-plane.js";

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
