// @ts-check
// Who is told what happens, and how that goes.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { targetPill, targetPlace, targetTrouble, TOPICS } from "./messages.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").TargetView} TargetView */

export class TargetList extends HTMLElement {
  /** Ids of the targets that a test is sent to. @type {ReadonlySet<string>} */
  testing = new Set();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-targets"));
    part(this, "add").addEventListener("click", () => wish(this, "open-target", { id: null }));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const targets = /** @type {TargetView[]|null} */ (state.known.targets?.value?.targets ?? null);
    const live = state.link === "live";
    show(this, targets !== null);
    part(this, "add").disabled = !live;
    show(part(this, "none"), targets?.length === 0);
    keyed(part(this, "list"), targets ?? [], (target) => target.id, (target) => {
      const item = /** @type {HTMLElement} */ (cloned("t-target-row").firstElementChild);
      for (const [name, type] of /** @type {const} */ ([["test", "test-target"], ["edit", "open-target"], ["remove", "remove-target"]])) {
        part(item, name).addEventListener("click", () => wish(this, type, { id: target.id }));
      }
      return item;
    }, (item, target) => {
      say(part(item, "name"), target.name);
      setPill(part(item, "pill"), targetPill(target));
      say(part(item, "place"), targetPlace(target));
      say(part(item, "topics"), `Told of: ${target.topics.map((/** @type {import("../../types-owner.js").Topic} */ topic) => TOPICS[topic]?.label ?? topic).join(", ").toLowerCase()}`);
      sayOrHide(part(item, "trouble"), targetTrouble(target, now));
      sayOrHide(part(item, "from"), target.from_settings ? "From the settings: change it there." : null);
      for (const name of ["edit", "remove"]) show(part(item, name), !target.from_settings);
      for (const [name, verb] of [["test", "Send a test to"], ["edit", "Edit"], ["remove", "Remove"]]) {
        part(item, name).disabled = !live || (name === "test" && this.testing.has(target.id));
        part(item, name).setAttribute("aria-label", `${verb} ${target.name}${name === "test" ? "" : "…"}`);
      }
    });
  }
}
