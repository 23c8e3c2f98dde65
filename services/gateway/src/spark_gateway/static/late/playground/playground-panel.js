// @ts-check
// The playground: what the cluster can do, tried from here as an app would.

import { cloned, part, sayOrHide, setPill, show } from "../../dom.js";
import { useKey, whenKeyIsWanted } from "../data-plane.js";
import { Chat } from "./chat.js";
import { Embedding } from "./embedding.js";
import { Finding } from "./finding.js";
import { whoAnswers } from "./words.js";

/** @typedef {import("../../types.js").View} View */

export class PlaygroundPanel extends HTMLElement {
  /** @type {Chat|null} */
  #chat = null;
  /** @type {{opened: () => void}[]} */
  #others = [];

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-playground"));
    this.#chat = new Chat(this);
    this.#others = [new Embedding(this), new Finding(this)];
    whenKeyIsWanted(() => show(part(this, "door"), true));
    part(this, "key").addEventListener("change", () => {
      useKey(part(this, "key").value);
      for (const each of this.#others) each.opened();
    });
    this.hidden = true;
  }

  /** @param {View} view */
  set view({ tab, state, now }) {
    const here = tab === "playground";
    const opened = here && this.hidden;
    show(this, here);
    if (opened) for (const each of this.#others) each.opened();
    this.#chat?.look(state, now); // an answer goes on while another part of the page is open
    if (!here) return;
    const who = whoAnswers(state, now);
    setPill(part(this, "who"), who);
    sayOrHide(part(this, "who-text"), who.text);
    show(part(this, "pick"), !who.can && state.link === "live");
  }
}
