// @ts-check
// A model of one's own: a directory on the Sparks that becomes a card.

import { part, setEffects, show, wish } from "../dom.js";
import { fieldNames, problemText, renamed, setProblems } from "../forms.js";
import { isWell, sorted } from "../knobs.js";
import { localRecipe } from "../setup.js";
import { RecipeSheet } from "./recipe-sheet.js";

const OWN = { "--max-model-len": "context_length", "--chat-template": "chat_template", "--served-model-name": "served_name" };
const FIELDS = ["local_path", "name", "mode", "context_length", "served_name", "chat_template"];

export class LocalDialog extends RecipeSheet {
  static template = "t-local-dialog";
  hosts = 1;

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", () => {
      this.typed();
      this.#changed();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(this.#said.form, true);
    });
    part(this, "anyway").addEventListener("click", () => this.save(this.#said.form, false));
  }

  /** @param {number} hosts */
  begin(hosts) {
    this.hosts = hosts;
    this.fresh();
    this.head("Add a local model", "For models you trained yourself or copied by hand. Nothing is moved or changed.");
    for (const name of FIELDS) part(this, name).value = name === "mode" ? "solo" : "";
    this.command("");
    setEffects(part(this, "effects"), [
      { kind: "keep", icon: "info", what: "The files stay where they are.", how: "A local model cannot be deleted or downloaded from here." },
    ]);
    show(part(this, "anyway"), false);
    this.#changed();
    this.show(part(this, "local_path"));
  }

  get #said() {
    const values = /** @type {any} */ (Object.fromEntries(FIELDS.map((name) => [name, part(this, name).value])));
    return localRecipe(values, this.hosts);
  }

  #changed() {
    const { form, problems } = this.#said;
    this.#problems(problems, form !== null);
    if (form) wish(this, "preview-local", { form });
  }

  /** @param {import("../types-control.js").Preview} preview */
  previewed(preview) {
    if (!this.pressed) this.#problems([...this.#said.problems, ...preview.problems, ...this.against], this.#said.form !== null);
    this.command(preview.launch_cmd);
  }

  /** What stands against saving it. @param {import("../types-control.js").FieldProblem[]} problems */
  refused(problems) {
    this.against = problems;
    this.#problems(problems, true);
  }

  /** @param {import("../types-control.js").FieldProblem[]} problems @param {boolean} complete */
  #problems(problems, complete) {
    const found = sorted(renamed(problems, OWN), fieldNames(this), []);
    setProblems(this, found.fields);
    if (found.rest.length > 0) this.note(isWell(found.rest) ? "warn" : "bad", found.rest.map(problemText).join(" "));
    part(this, "go").disabled = !complete || !isWell(problems);
  }
}
