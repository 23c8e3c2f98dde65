// @ts-check
// Announcing maintenance: of what, from when, for how long.

import { part, wish } from "../../dom.js";
import { Sheet } from "../../elements/sheet.js";
import { setProblems } from "../../forms.js";

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

/** What the form says, or what is not right in it. @param {any} form @returns {{window: any, problems: Map<string, any[]>}} */
export function windowOf({ target, minutes, starts_at: starts, reason }) {
  /** @type {Map<string, any[]>} */
  const problems = new Map();
  const number = Number(minutes);
  if (!minutes || !(number >= 1 && number <= 7 * 24 * 60)) problems.set("minutes", [{ field: "minutes", message: "must be from 1 minute to a week", severity: "error", near: [] }]);
  return { window: { target, minutes: number, reason, ...(starts ? { starts_at: new Date(starts).toISOString() } : {}) }, problems };
}
