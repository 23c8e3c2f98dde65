// @ts-check
// A model without a recipe: what its files say, field by field with source and certainty, to be confirmed once.

import { keyed, part, say, setPill, show, wish } from "../dom.js";
import { fieldNames, problemText, renamed, setProblems } from "../forms.js";
import { diskSize } from "../format.js";
import { isWell, sorted } from "../knobs.js";
import { besideFields, recipeOf, sourceOf, valuesOf } from "../setup.js";
import { RecipeSheet } from "./recipe-sheet.js";

/** @typedef {import("../types-control.js").Suggestion} Suggestion */
/** @typedef {import("../types-control.js").Suggested} Suggested */

/** Flags that have a field of their own. */
const OWN = { "--max-model-len": "context_length", "--tool-call-parser": "tool_parser", "--reasoning-parser": "reasoning_parser", "--served-model-name": "served_name" };

/** @param {HTMLElement} line @param {Suggested} suggested */
function setSource(line, suggested) {
  const { pill, text } = sourceOf(suggested);
  if (line.childElementCount === 0) line.append(document.createElement("span"), " ", document.createElement("span"));
  setPill(/** @type {HTMLElement} */ (line.firstElementChild), pill);
  say(/** @type {HTMLElement} */ (line.lastElementChild), text);
}

export class SetupDialog extends RecipeSheet {
  static template = "t-setup-dialog";
  /** @type {Suggestion|null} */
  suggestion = null;
  hosts = 1;

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", () => {
      this.typed();
      this.#changed();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(true);
    });
    part(this, "anyway").addEventListener("click", () => this.#save(false));
  }

  /** @param {Suggestion} suggestion @param {number} hosts */
  begin(suggestion, hosts) {
    Object.assign(this, { suggestion, hosts });
    this.fresh();
    this.head(`Set up ${suggestion.name}`, `We read its files (${diskSize(suggestion.size_bytes)}) and filled this in. Check it once, then it behaves like every other model.`);
    this.command("");
    const sources = besideFields(suggestion);
    for (const [name, value] of Object.entries(valuesOf(suggestion))) part(this, name).value = value;
    for (const [name, suggested] of Object.entries(sources)) setSource(part(this, `source-${name}`), suggested);
    const why = [...suggestion.args, ...suggestion.env, ...suggestion.traits].map((each, index) => ({ each, key: String(index) }));
    keyed(part(this, "reasons"), why, ({ key }) => key, () => {
      const item = document.createElement("li");
      item.className = "small soft";
      item.append(document.createElement("code"), document.createElement("p"));
      return item;
    }, (item, { each }) => {
      say(item.firstElementChild, String(each.value));
      item.lastElementChild.className = "source";
      setSource(item.lastElementChild, each);
    });
    show(part(this, "warnings"), suggestion.warnings.length > 0);
    keyed(part(this, "warning-list"), suggestion.warnings, (warning) => warning, () => document.createElement("li"), say);
    show(part(this, "anyway"), false);
    this.#changed();
    this.show(part(this, "name"));
  }

  get #said() {
    const names = ["name", "mode", "context_length", "tool_parser", "reasoning_parser", "served_name", "image", "args", "env"];
    const values = /** @type {any} */ (Object.fromEntries(names.map((name) => [name, part(this, name).value])));
    return recipeOf(/** @type {Suggestion} */ (this.suggestion), values, this.hosts);
  }

  #changed() {
    const { form, problems } = this.#said;
    this.#problems(problems);
    if (problems.length === 0) wish(this, "preview-setup", { form });
  }

  /** @param {import("../types-control.js").Preview} preview */
  previewed(preview) {
    if (!this.pressed) this.#problems([...this.#said.problems, ...preview.problems, ...this.against]);
    this.command(preview.launch_cmd);
  }

  /** What stands against saving it. @param {import("../types-control.js").FieldProblem[]} problems */
  refused(problems) {
    this.against = problems;
    this.#problems(problems);
  }

  /** @param {import("../types-control.js").FieldProblem[]} problems */
  #problems(problems) {
    const found = sorted(renamed(problems, OWN, "args"), fieldNames(this), []);
    const hidden = ["served_name", "image", "args", "env"].some((name) => found.fields.has(name));
    if (hidden) part(this, "further").open = true;
    setProblems(this, found.fields);
    if (found.rest.length > 0) this.note(isWell(found.rest) ? "warn" : "bad", found.rest.map(problemText).join(" "));
    part(this, "go").disabled = !isWell(problems);
  }

  /** @param {boolean} test */
  #save(test) {
    const { form, problems } = this.#said;
    this.save(problems.length > 0 ? null : form, test);
  }
}
