// @ts-check
// What is known to make trouble on the Sparks: a sentence each, and where to read what to do.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { count, listed } from "../../format.js";
import { hostLabel } from "../../menu.js";

/** @typedef {import("../../types.js").View} View */

/** @type {Record<string, {tone: import("../../types.js").Tone, icon: string, word: string}>} */
const PILLS = {
  trouble: { tone: "bad", icon: "bad", word: "Trouble" },
  warning: { tone: "warn", icon: "warn", word: "Warning" },
  hint: { tone: "line", icon: "info", word: "Hint" },
};

export class AdviceList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-advice"));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-anchor]");
      if (button instanceof HTMLElement) wish(this, "open-runbook", { anchor: button.dataset.anchor });
    });
  }

  /** @param {View} view */
  set view({ state }) {
    const advice = state.known.advice?.value;
    const findings = /** @type {{check: string, host: string, severity: string, sentence: string, runbook: string}[]} */ (advice?.findings ?? []);
    show(this, findings.length > 0);
    if (findings.length === 0) return;
    const serious = findings.filter((each) => each.severity !== "hint").length;
    const box = /** @type {HTMLDetailsElement} */ (this.firstElementChild);
    // What is serious is opened once; whoever closes it has read it.
    if (serious > 0 && box.dataset.serious !== String(serious)) box.open = true;
    box.dataset.serious = String(serious);
    say(part(this, "sum"), serious > 0
      ? `${count(serious)} ${serious === 1 ? "thing is" : "things are"} known to make trouble`
      : `${count(findings.length)} ${findings.length === 1 ? "hint" : "hints"} about the Sparks`);
    keyed(part(this, "rows"), findings, (each) => `${each.check} ${each.host}`, () => /** @type {HTMLElement} */ (cloned("t-finding").firstElementChild), (row, each) => {
      setPill(part(row, "pill"), PILLS[each.severity] ?? PILLS.hint);
      say(part(row, "sentence"), each.sentence);
      const press = part(row, "runbook");
      press.dataset.anchor = each.runbook.split("#")[1] ?? "";
      say(part(row, "runbook-of"), `: ${each.sentence}`);
    });
    const unread = (advice?.unread ?? []).map((/** @type {string} */ name) => hostLabel(name, state.menu?.hosts ?? []));
    const old = state.known.advice?.problem ?? "";
    sayOrHide(part(this, "unread"), unread.length > 0 ? `Nothing fresh is known of ${listed(unread)}.` : old ? `As it was asked last: ${old}` : null);
  }
}
