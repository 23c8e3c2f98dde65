// @ts-check
// How speech stands, a recording to be heard, and a voice to hear.

import { cloned, part, say, sayOrHide, setPill, show } from "../../dom.js";
import { useKey, whenKeyIsWanted } from "../data-plane.js";
import { standing } from "./asking.js";
import { hearingCard } from "./hearing.js";
import { queueWords, stateLook } from "./looks.js";
import { sayingCard } from "./saying.js";

/** @typedef {import("../../types.js").View} View */

const LOOK_MS = 3000;

export class SpeechPanel extends HTMLElement {
  #lookedAt = 0;
  /** Whether nothing more is asked until there is a key. */
  #barred = false;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-speech"));
    setPill(part(this, "state"), stateLook(null));
    whenKeyIsWanted(() => {
      this.#barred = true;
      show(part(this, "door"), true);
    });
    part(this, "key").addEventListener("change", () => {
      useKey(part(this, "key").value);
      this.#barred = false;
    });
    part(this, "cards").append(hearingCard(), sayingCard());
  }

  /** @param {View} view */
  set view({ tab, now }) {
    show(this, tab === "speech");
    if (tab !== "speech" || this.#barred || now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    this.#look();
  }

  async #look() {
    try {
      const status = await standing();
      setPill(part(this, "state"), stateLook(status));
      say(part(this, "queue"), queueWords(status));
      sayOrHide(part(this, "trouble"), null);
    } catch (error) {
      setPill(part(this, "state"), stateLook(null));
      sayOrHide(part(this, "trouble"), /** @type {Error} */ (error).message);
    }
  }
}
