// @ts-check
// The microphone of this device, for as long as somebody records.

import { clockOf } from "./looks.js";

const PART_MS = 1000;
/** What is made for telephone calls would take the voices that are farther away for noise. */
const RAW = { echoCancellation: false, noiseSuppression: false };

export class Recorder {
  /** @type {MediaRecorder|null} */
  #recorder = null;
  #say;
  #take;
  #on;

  /**
   * @param {(words: string) => void} say
   * @param {(recording: Blob) => void} take  Gets what was recorded.
   * @param {(on: boolean) => void} on  Hears when it begins and ends.
   */
  constructor(say, take, on) {
    this.#say = say;
    this.#take = take;
    this.#on = on;
  }

  /** Browsers give the microphone to pages over https and to this machine's own only. */
  get possible() {
    return Boolean(navigator.mediaDevices?.getUserMedia) && typeof MediaRecorder === "function";
  }

  async toggle() {
    if (this.#recorder) {
      this.#recorder.stop();
      return;
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: RAW });
    } catch {
      this.#say("The microphone was not given to this page.");
      return;
    }
    const recorder = new MediaRecorder(stream);
    /** @type {Blob[]} */
    const parts = [];
    recorder.addEventListener("dataavailable", (event) => {
      parts.push(event.data);
      if (recorder.state === "recording") this.#said(parts.length * PART_MS);
    });
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      this.#recorder = null;
      this.#on(false);
      this.#take(new Blob(parts, { type: recorder.mimeType }));
    });
    recorder.start(PART_MS);
    this.#recorder = recorder;
    this.#on(true);
    this.#said(0);
  }

  /** @param {number} ms */
  #said(ms) {
    this.#say(`Recording, ${clockOf(ms)}. It is sent when you stop.`);
  }
}
