// @ts-check
// How far back the lines of the Sparks go.

import { cloned, show, wish } from "../../dom.js";
import { looking } from "./acts.js";

/** @typedef {import("../../types.js").View} View */

export class ChartRange extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-chart-range"));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-span]");
      if (button instanceof HTMLElement) wish(this, "show-charts", { span: button.dataset.span });
    });
  }

  /** @param {View} view */
  set view({ state }) {
    show(this, Boolean(state.known.charts?.value));
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-span]"))) {
      button.setAttribute("aria-pressed", String(button.dataset.span === looking.span));
    }
  }
}
