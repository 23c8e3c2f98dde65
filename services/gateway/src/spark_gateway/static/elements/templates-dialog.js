// @ts-check
// The recipes that the launcher on the Spark brings, to be taken over as one's own.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../dom.js";
import { runsOn } from "../menu.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../types-control.js").Template} Template */

export class TemplatesDialog extends Sheet {
  static template = "t-templates-dialog";
  hosts = 1;

  ready() {
    part(this, "refresh").addEventListener("click", () => wish(this, "read-templates", { refresh: true }));
  }

  /** @param {number} hosts */
  begin(hosts) {
    this.hosts = hosts;
    this.head("Import a recipe of the launcher", "Ways to start a model that came with the program on your Spark. Importing saves a copy that you can change.");
    part(this, "list").replaceChildren();
    this.show(part(this, "safe"));
  }

  /** While the Spark is read. */
  reading() {
    this.note("now", "Reading the recipes on the Spark.");
    part(this, "refresh").disabled = true;
  }

  /** @param {string} why */
  fail(why) {
    this.note("bad", why);
    part(this, "refresh").disabled = false;
  }

  /** @param {import("../types-control.js").Templates} read */
  set templates({ templates, directory, problem }) {
    part(this, "refresh").disabled = false;
    if (problem) this.note("bad", problem);
    else if (templates.length === 0) this.note("idle", `No recipe was found${directory ? ` in ${directory}` : ""}.`);
    else this.note("idle", directory ? `Read from ${directory}.` : "");
    keyed(part(this, "list"), templates, (template) => template.name, () => {
      const item = /** @type {any} */ (cloned("t-template").firstElementChild);
      part(item, "take").addEventListener("click", () => wish(this, "import-template", { template: item.template }));
      return item;
    }, (item, template) => this.#row(item, template));
  }

  /** @param {any} item @param {Template} template */
  #row(item, template) {
    item.template = template;
    say(part(item, "name"), template.title || template.name);
    sayOrHide(part(item, "repo"), [template.repo, runsOn(template.mode, this.hosts)].filter(Boolean).join(" · "));
    const known = template.known_as ? `We know this model already, as ${template.known_as}.` : "";
    sayOrHide(part(item, "text"), template.problem ?? [template.description.replace(/([^.!?])\s*$/, "$1."), known].filter(Boolean).join(" "));
    const take = part(item, "take");
    show(take, template.form !== null && template.form !== undefined);
    const verb = template.known_as ? "Use instead…" : "Import";
    say(take, verb);
    take.setAttribute("aria-label", `${verb} ${template.title || template.name}`);
  }
}
