// @ts-check
// The request log: who asked what, how it ended and what it took. Never what was said.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { ago, asSentence } from "../../format.js";
import { exportAddress, momentOf, outcomePill, rowNumbers, whoAsked } from "./request-log.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").RequestPage} RequestPage */

export class RequestTable extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-requests"));
    part(this, "search").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#look();
    });
    for (const name of ["status", "from", "to"]) part(this, name).addEventListener("change", () => this.#look());
    part(this, "newest").addEventListener("click", () => this.#look());
    part(this, "older").addEventListener("click", () => this.#look(Number(part(this, "older").dataset.before)));
    part(this, "record").addEventListener("click", () => wish(this, "begin-capture"));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const known = state.known.requests;
    const page = /** @type {RequestPage|null} */ (known?.value ?? null);
    const live = state.link === "live";
    show(this, known !== undefined);
    sayOrHide(part(this, "problem"), known?.problem || (page?.problems ?? []).map(asSentence).join(" "));
    show(part(this, "none"), page?.requests.length === 0);
    show(part(this, "table"), (page?.requests.length ?? 0) > 0);
    const recording = Boolean(state.capture?.on);
    show(part(this, "record"), !recording);
    part(this, "record").disabled = !live;
    show(part(this, "older"), typeof page?.older_before === "number");
    part(this, "older").dataset.before = String(page?.older_before ?? "");
    keyed(part(this, "rows"), page?.requests ?? [], (row) => row.mark, () => /** @type {HTMLElement} */ (cloned("t-request-row").firstElementChild), (item, row) => {
      say(part(item, "when"), ago(row.at, now));
      say(part(item, "model"), row.model || "no model");
      say(part(item, "path"), `${row.method} ${row.path}`);
      say(part(item, "who"), whoAsked(row));
      say(part(item, "client"), row.client);
      setPill(part(item, "pill"), outcomePill(row));
      say(part(item, "numbers"), rowNumbers(row));
      sayOrHide(part(item, "end"), row.end === "complete" ? null : row.end);
      say(part(item, "id"), row.id);
    });
  }

  /** @param {number} [before] */
  #look(before) {
    const [from, to] = ["from", "to"].map((name) => momentOf(part(this, name).value));
    part(this, "to").setCustomValidity(from && to && from >= to ? "Choose a moment after the first one." : "");
    if (!part(this, "to").reportValidity()) return;
    const which = { q: part(this, "q").value.trim(), status: part(this, "status").value, from, to };
    for (const format of /** @type {const} */ (["csv", "json"])) part(this, format).setAttribute("href", exportAddress(format, which));
    show(part(this, "newest"), before !== undefined);
    wish(this, "show-requests", { ...which, before });
  }
}
