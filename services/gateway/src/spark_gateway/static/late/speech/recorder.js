// @ts-check
// The microphone of this device, for as long as somebody records.

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
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      this.#say("The microphone was not given to this page.");
      return;
    }
    const recorder = new MediaRecorder(stream);
    /** @type {Blob[]} */
    const parts = [];
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      this.#recorder = null;
      this.#on(false);
      this.#take(new Blob(parts, { type: recorder.mimeType }));
    });
    recorder.start(1000);
    this.#recorder = recorder;
    this.#on(true);
    this.#say("Recording. It is sent when you stop.");
  }
}
