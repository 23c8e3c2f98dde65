// @ts-check
// What can be pressed on every part of the page: reserve the Sparks, change settings, sign out.

import { signedIn } from "../entrance.js";
import { cloned, part, show, wish } from "../dom.js";

/** @typedef {import("../types.js").View} View */

export class TopTools extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-tools"));
    part(this, "reserve").addEventListener("click", () => wish(this, "open-reserve"));
    part(this, "settings").addEventListener("click", () => wish(this, "open-settings"));
    part(this, "sign-out").addEventListener("click", () => wish(this, "sign-out"));
    show(part(this, "sign-out"), signedIn());
  }

  /** @param {View} view */
  set view({ state }) {
    const live = state.link === "live";
    const { lease, holding, menu } = state;
    // While somebody has it, the banner has the buttons.
    show(part(this, "reserve"), lease?.state === "free" && holding === null && (menu === null || menu.hosts.length > 0));
    part(this, "reserve").disabled = !live;
    part(this, "settings").disabled = !live;
  }
}
