// @ts-check
// A text goes in; what may leave the house comes out, with what was hidden and why.

import { copyText } from "../../elements/copy-field.js";
import { keyed, part, say, sayOrHide, show, wish } from "../../dom.js";
import { made } from "../made.js";
import { behind, hide } from "./asking.js";
import { byKind, coverageWords, foundWords, namesOf, pieces } from "./words.js";

const EXAMPLE = "Hello, this is Alice Smith. Please call me back at 415-555-0132 or write to alice.smith@corp.example. The card is 4111 1111 1111 1111.";
const EXAMPLE_NAMES = "Alice Smith";
const MOST_ROWS = 100;

export class Hiding {
  #text = "";
  /** @type {AbortController|null} */
  #stop = null;

  /** @param {HTMLElement} root @param {{session: string|null, began: (session: string) => void}} desk */
  constructor(root, desk) {
    this.root = root;
    this.desk = desk;
    part(root, "hide").addEventListener("click", () => this.#hide());
    part(root, "example").addEventListener("click", () => this.#example());
    part(root, "profile").addEventListener("change", () => (desk.session = null)); // a session has one profile
    // Said here and not in a toast, which would repeat a line of it and outlive the page.
    part(root, "copy").addEventListener("click", async () => this.#said((await copyText(this.#text)) ? "Copied." : "The browser does not allow copying. Select the text instead."));
    this.clear();
  }

  /** Nothing of what was pasted stays. */
  clear() {
    this.#stop?.abort();
    this.#stop = null;
    this.#text = "";
    for (const name of ["text", "names"]) part(this.root, name).value = "";
    for (const name of ["out", "kinds"]) part(this.root, name).replaceChildren();
    part(this.root, "hide").disabled = false;
    for (const name of ["state", "coverage"]) sayOrHide(part(this.root, name), "");
    show(part(this.root, "result"), false);
  }

  #example() {
    part(this.root, "text").value = EXAMPLE;
    part(this.root, "names").value = EXAMPLE_NAMES;
    this.#hide();
  }

  async #hide() {
    const text = part(this.root, "text").value;
    if (this.#stop) return;
    if (text.trim() === "") {
      this.#said("There is no text yet.");
      part(this.root, "text").focus();
      return;
    }
    const stop = (this.#stop = new AbortController());
    part(this.root, "hide").disabled = true;
    this.#said("Looking…");
    try {
      const hidden = await this.#asked(text, stop.signal);
      const values = await behind(hidden.session_id, hidden.placeholders.map(({ token }) => token), stop.signal);
      this.desk.began(hidden.session_id);
      this.#show(hidden, values);
    } catch (error) {
      if (stop.signal.aborted) return; // cleared meanwhile
      show(part(this.root, "result"), false); // an older result is not that of this text
      this.#said(/** @type {Error} */ (error).message, true);
    }
    this.#stop = null;
    part(this.root, "hide").disabled = false;
  }

  /** In the session of this page, so that a value keeps its placeholder; in a new one when that was forgotten. @param {string} text @param {AbortSignal} signal */
  async #asked(text, signal) {
    const wanted = { text, names: namesOf(part(this.root, "names").value), profile: part(this.root, "profile").value, seconds: Number(part(this.root, "keep").value), session: this.desk.session };
    try {
      return await hide(wanted, signal);
    } catch (error) {
      if (!wanted.session || !["gone", "conflict"].includes(/** @type {Error} */ (error).name)) throw error;
      return hide({ ...wanted, session: null }, signal);
    }
  }

  /** @param {import("./asking.js").Hidden} hidden @param {string[]} values */
  #show(hidden, values) {
    this.#text = hidden.text;
    const tokens = new Set(hidden.placeholders.map(({ token }) => token));
    part(this.root, "out").replaceChildren(...pieces(hidden.text, tokens).map((piece) => (piece.token ? made("mark", { text: piece.text }) : document.createTextNode(piece.text))));
    say(part(this.root, "hint"), hidden.prompt_hint);
    const kinds = byKind(hidden.placeholders, values);
    show(part(this.root, "why"), kinds.length > 0);
    part(this.root, "kinds").replaceChildren();
    keyed(part(this.root, "kinds"), kinds, (kind) => kind.type, () => made("li"), (item, kind) => {
      const rows = kind.rows.slice(0, MOST_ROWS).map((row) => made("li", {}, made("code", { text: row.token }), made("span", { class: "value", text: row.value }), row.times ? made("span", { class: "help", text: row.times }) : null));
      const more = kind.rows.length > MOST_ROWS ? made("p", { class: "help", text: `and ${kind.rows.length - MOST_ROWS} more` }) : null;
      item.replaceChildren(...[made("h4", { text: kind.word }), made("p", { class: "help", text: kind.why }), made("ul", {}, ...rows), more].filter((each) => each !== null));
    });
    sayOrHide(part(this.root, "coverage"), coverageWords(hidden.coverage));
    show(part(this.root, "result"), true);
    this.#said(foundWords(hidden.placeholders));
    wish(this.root, "scopes-changed");
  }

  /** @param {string} words @param {boolean} [bad] */
  #said(words, bad = false) {
    part(this.root, "state").className = bad ? "small bad-text" : "small";
    sayOrHide(part(this.root, "state"), words);
  }
}
