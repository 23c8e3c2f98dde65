// @ts-check
// What happened around the Sparks: who was told, who used them, who may.

import { cloned, part, say, show, wish } from "../../dom.js";

/** @typedef {import("../../types.js").View} View */

export class ActivityPanel extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-activity"));
    part(this, "again").addEventListener("click", () => wish(this, "look-around"));
  }

  /** @param {View} view */
  set view(view) {
    const { state, tab } = view;
    show(this, tab === "activity");
    if (tab !== "activity") return;
    const asked = [state.known.targets, state.known.deliveries, state.known.accounts, state.known.letters, state.known.keys];
    const problems = [...new Set(asked.map((each) => each?.problem).filter(Boolean))];
    show(part(this, "trouble"), problems.length > 0);
    say(part(this, "trouble-text"), problems.join(" "));
    for (const name of ["letters", "targets", "deliveries", "accounts", "requests", "keys"]) part(this, name).view = view;
  }
}
