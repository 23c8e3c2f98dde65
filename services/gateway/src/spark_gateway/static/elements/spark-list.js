// @ts-check
// The Sparks, one card each.

import { cloned, keyed, part } from "../dom.js";

/** @typedef {import("../types.js").View} View */

export class SparkList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-sparks"));
  }

  /** @param {View} view */
  set view(view) {
    const hosts = view.state.menu?.hosts ?? [];
    keyed(part(this, "cards"), hosts, (host) => host.name, () => document.createElement("spark-card"), (card, host) => {
      card.spark = { host, view };
    });
  }
}
