// @ts-check
// The Sparks, one card each.

import { cloned, keyed, part, show } from "../dom.js";

/** @typedef {import("../types.js").View} View */

export class SparkList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-sparks"));
  }

  /** @param {View} view */
  set view(view) {
    const hosts = view.state.menu?.hosts ?? [];
    show(this, hosts.length > 0);
    keyed(part(this, "cards"), hosts, (host) => host.name, () => document.createElement("spark-card"), (card, host) => {
      card.spark = { host, view };
    });
  }
}
