// @ts-check
// A service of one's own: what it is, where it answers, and which container it runs in.

import { part, show, wish } from "../../dom.js";
import { Sheet } from "../../elements/sheet.js";
import { setProblems } from "../../forms.js";
import { serviceOf } from "./own.js";

const TEXTS = ["name", "label", "port", "path", "container"];

export class ServiceForm extends Sheet {
  static template = "t-service-form";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    part(this, "kind").addEventListener("change", () => this.#shape());
    form.addEventListener("input", () => setProblems(this, new Map()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (part(this, "go").disabled) return;
      const { service, problems } = serviceOf(Object.fromEntries([...TEXTS, "kind", "host"].map((name) => [name, part(this, name).value.trim()])));
      this.mark(problems);
      if (problems.size === 0) wish(this, "save-service", { service });
    });
  }

  /** @param {import("../../types.js").Menu|null} menu */
  begin(menu) {
    this.head("Add a service of your own", "It gets a tile and is watched like the others.");
    for (const name of TEXTS) part(this, name).value = "";
    part(this, "host").replaceChildren(...(menu?.hosts ?? []).map((host) => new Option(host.label, host.name)));
    setProblems(this, new Map());
    this.note("idle", "");
    this.busy = false;
    this.#shape();
    this.show(part(this, "name"));
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
  }

  #shape() {
    show(part(this, "port-box"), part(this, "kind").value !== "bot");
    show(part(this, "path-box"), part(this, "kind").value !== "bot");
  }
}
