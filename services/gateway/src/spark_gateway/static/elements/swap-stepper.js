// @ts-check
// The seven steps of a swap, each with its state in words and its time.

import { cloned, keyed, part, say, setIcon } from "../dom.js";

/** @typedef {import("../phases.js").Step} Step */

const WORDS = { done: ", done", now: ", now", todo: ", to do", fail: ", failed" };
const ICONS = { done: "check", now: "busy", todo: "", fail: "x" };

export class SwapStepper extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    const list = document.createElement("ol");
    list.className = "stepper";
    list.setAttribute("aria-label", "Steps of the swap");
    this.append(list);
  }

  /** @param {Step[]} steps */
  set steps(steps) {
    const list = /** @type {HTMLElement} */ (this.firstElementChild);
    keyed(list, steps, (step) => step.label, () => /** @type {HTMLElement} */ (cloned("t-step").firstElementChild), (item, step) => {
      item.className = step.state === "todo" ? "" : step.state;
      item.toggleAttribute("aria-current", step.state === "now");
      if (step.state === "now") item.setAttribute("aria-current", "step");
      const svg = item.querySelector("svg");
      svg.toggleAttribute("hidden", step.state === "todo");
      if (ICONS[step.state]) setIcon(svg, ICONS[step.state]);
      say(part(item, "label"), step.label);
      say(part(item, "state"), WORDS[step.state]);
      say(part(item, "time"), step.time);
    });
  }
}
