// @ts-check
// Announcing maintenance: of what, from when, for how long.

import { part, wish } from "../../dom.js";
import { Sheet } from "../../elements/sheet.js";
import { setProblems } from "../../forms.js";
import { windowOf } from "./windows.js";

export class MaintenanceDialog extends Sheet {
  static template = "t-maintenance-dialog";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", () => setProblems(this, new Map()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (part(this, "go").disabled) return;
      const { window, problems } = windowOf(Object.fromEntries(["target", "minutes", "starts_at", "reason"].map((name) => [name, part(this, name).value.trim()])));
      this.mark(problems);
      if (problems.size === 0) wish(this, "begin-maintenance", { window });
    });
  }

  /** @param {{target: string, label: string}[]} targets */
  begin(targets) {
    this.head("Announce maintenance", "Changes are noted meanwhile, but nobody is told, no alert fires and uptime does not count.");
    part(this, "target").replaceChildren(new Option("Everything", "all"), ...targets.map((each) => new Option(each.label, each.target)));
    for (const name of ["starts_at", "reason"]) part(this, name).value = "";
    part(this, "minutes").value = "60";
    setProblems(this, new Map());
    this.note("idle", "");
    this.busy = false;
    this.show(part(this, "target"));
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }
}
