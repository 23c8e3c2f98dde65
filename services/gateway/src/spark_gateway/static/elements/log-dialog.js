// @ts-check
// A whole log, after the fact.

import { part, show, wish } from "../dom.js";
import { Sheet } from "./sheet.js";

export class LogDialog extends Sheet {
  static template = "t-log-dialog";
  /** @type {string[]} */
  lines = [];

  ready() {
    part(this, "copy").addEventListener("click", () => wish(this, "copy-text", { text: this.lines.join("\n") }));
  }

  /** @param {string} title @param {string} lead @param {string[]} [marks] */
  begin(title, lead, marks = []) {
    this.head(title, lead);
    this.note("now", "Reading the log.");
    part(this, "log").marks = marks;
    this.#lines("", []);
    this.show(part(this, "safe"));
  }

  /** @param {string} id @param {string[]} lines @param {boolean} cut  The middle or the beginning is not kept. */
  fill(id, lines, cut) {
    const empty = lines.length === 0 ? "Nothing of it is kept any more: it is too old, or from a version that did not keep logs." : "";
    this.note("idle", empty || (cut ? "It was longer than what is kept; a part is missing." : ""));
    this.#lines(id, lines);
  }

  /** @param {string} why */
  fail(why) {
    this.note("bad", why);
  }

  /** @param {string} id @param {string[]} lines */
  #lines(id, lines) {
    this.lines = lines;
    show(part(this, "log"), lines.length > 0);
    show(part(this, "copy"), lines.length > 0);
    part(this, "log").log = { id, n: 0, dropped: 0, entries: lines.map((text) => ({ at: "", text })) };
  }
}
