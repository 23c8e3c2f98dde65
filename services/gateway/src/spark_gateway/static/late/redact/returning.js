// @ts-check
// An answer goes in with its placeholders, and comes out with the values.

import { copyText } from "../../elements/copy-field.js";
import { part, say, sayOrHide, show } from "../../dom.js";
import { putBack } from "./asking.js";
import { wordsBack } from "./words.js";

export class Returning {
  /** @type {AbortController|null} */
  #stop = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {import("./asking.js").Opened|null} */
    this.opened = null;
    part(root, "back").addEventListener("click", () => this.#back());
    part(root, "copy-back").addEventListener("click", async () => this.#said((await copyText(part(root, "back-out").textContent)) ? "Copied." : "The browser does not allow copying. Select the text instead."));
    this.clear();
  }

  /** @param {import("./asking.js").Opened|null} opened  The session whose placeholders are in the answer. */
  open(opened) {
    if (opened?.session === this.opened?.session && opened?.tenant === this.opened?.tenant) return;
    this.#show(opened);
  }

  /** Whether a session of the list is the one that is open. @param {import("./keeping.js").Scope} scope */
  holds(scope) {
    return this.opened?.session === scope.session_id && (this.opened.tenant ?? scope.tenant) === scope.tenant;
  }

  /** Nothing of an answer stays. */
  clear() {
    part(this.root, "answer").value = "";
    this.#show(null);
  }

  /** @param {import("./asking.js").Opened|null} opened */
  #show(opened) {
    this.#stop?.abort();
    this.#stop = null;
    this.opened = opened;
    part(this.root, "back").disabled = opened === null;
    say(part(this.root, "with"), opened === null ? "Hide a text first, or choose a session of the list below." : `With the values of ${opened.session}${opened.tenant === null ? "" : ` of ${opened.tenant}`}.`);
    say(part(this.root, "back-out"), "");
    sayOrHide(part(this.root, "back-state"), "");
    show(part(this.root, "back-result"), false);
  }

  focus() {
    part(this.root, "answer").focus();
  }

  async #back() {
    const text = part(this.root, "answer").value;
    if (this.#stop || this.opened === null) return;
    if (text.trim() === "") {
      this.#said("There is no answer yet.");
      this.focus();
      return;
    }
    const stop = (this.#stop = new AbortController());
    part(this.root, "back").disabled = true;
    this.#said("Putting the values back…");
    try {
      const back = await putBack(this.opened, text, stop.signal);
      if (stop.signal.aborted) return;
      say(part(this.root, "back-out"), back.text);
      show(part(this.root, "back-result"), true);
      this.#said(wordsBack(back));
    } catch (error) {
      if (stop.signal.aborted) return;
      show(part(this.root, "back-result"), false);
      this.#said(/** @type {Error} */ (error).message, true);
    }
    this.#stop = null;
    part(this.root, "back").disabled = false;
  }

  /** @param {string} words @param {boolean} [bad] */
  #said(words, bad = false) {
    part(this.root, "back-state").className = bad ? "small bad-text" : "small";
    sayOrHide(part(this.root, "back-state"), words);
  }
}
