// @ts-check
// Ask the holder, politely, to release the Sparks by a time.

import { part, wish } from "../dom.js";
import { setProblems } from "../forms.js";
import { nextMoment } from "../reserving.js";
import { Sheet } from "./sheet.js";

export class YieldDialog extends Sheet {
  static template = "t-yield-dialog";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", () => setProblems(this, new Map()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "go").disabled) this.#submit();
    });
  }

  /** @param {string} holder @param {string} name  Of the reader. */
  begin(holder, name) {
    this.head(`Ask ${holder} to release the Sparks`, "Nothing is taken away: it is told, and everybody sees that you asked.");
    part(this, "requested_by").value = name;
    part(this, "by").value = "";
    part(this, "yield-note").value = "";
    setProblems(this, new Map());
    this.note("idle", "");
    this.busy = false;
    this.show(name ? part(this, "by") : part(this, "requested_by"));
  }

  #submit() {
    const name = part(this, "requested_by").value.trim();
    const missing = { field: "requested_by", message: "Say who asks.", severity: /** @type {const} */ ("error"), near: [] };
    this.mark(new Map(name ? [] : [["requested_by", [missing]]]));
    if (name) wish(this, "request-yield", { requested_by: name, by: nextMoment(part(this, "by").value, Date.now()), note: part(this, "yield-note").value.trim() });
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }
}
