// @ts-check
// The log of a service's container as it grows, while the dialog is open.

import { ask, Refusal } from "../../api.js";
import { part, say, wish } from "../../dom.js";
import { LOG_LIMIT } from "../../reduce-log.js";
import { Sheet } from "../../elements/sheet.js";

export class ServiceLog extends Sheet {
  static template = "t-service-log";
  /** @type {EventSource|null} */
  source = null;
  /** @type {import("../../types.js").SwapLog} */
  log = { id: "", n: 0, dropped: 0, entries: [] };

  ready() {
    part(this, "copy").addEventListener("click", () => wish(this, "copy-text", { text: this.log.entries.map((entry) => entry.text).join("\n") }));
    part(this, "again").addEventListener("click", () => this.#follow());
  }

  closed() {
    this.source?.close();
    this.source = null;
  }

  /** @param {string} name @param {string} label */
  begin(name, label) {
    this.head(`Log of ${label}`, "It is followed while this is open and you are at its end. What looks like a secret is ***.");
    this.dataset.name = name;
    this.log = { id: `${name} ${Date.now()}`, n: 0, dropped: 0, entries: [] };
    part(this, "log").log = this.log;
    this.show(part(this, "safe"));
    this.#follow();
  }

  #follow() {
    this.source?.close();
    part(this, "again").hidden = true;
    this.note("now", "Following the log.");
    const path = `api/services/${encodeURIComponent(this.dataset.name ?? "")}/logs`;
    const source = new EventSource(`${path}/stream?tail=200`);
    this.source = source;
    const fresh = { id: `${this.dataset.name} ${Date.now()}`, n: 0, dropped: 0, entries: [] };
    this.log = fresh;
    source.addEventListener("lines", (event) => this.#grow(JSON.parse(event.data)));
    source.addEventListener("end", (event) => this.#over("idle", JSON.parse(event.data).message));
    source.addEventListener("error", (event) => {
      const said = /** @type {any} */ (event).data; // an event of the server; else the line itself broke
      if (said) this.#over("bad", JSON.parse(said).message);
      else if (source.readyState === EventSource.CLOSED) this.#why(path);
    });
  }

  /** @param {{lines: string[], skipped: boolean}} page */
  #grow({ lines, skipped }) {
    const more = [...(skipped ? ["… more was written than fits here"] : []), ...lines].map((text) => ({ at: "", text }));
    const all = [...this.log.entries, ...more];
    const over = Math.max(0, all.length - LOG_LIMIT);
    this.log = { ...this.log, dropped: this.log.dropped + over, entries: all.slice(over) };
    part(this, "log").log = this.log;
    if (this.log.dropped > 0) say(part(this, "note-text"), "Following the log; what is older is let go.");
  }

  /** @param {"idle"|"bad"} tone @param {string} why */
  #over(tone, why) {
    this.source?.close();
    this.source = null;
    part(this, "again").hidden = false;
    this.note(tone, why);
  }

  /** A stream that is refused says nothing to a page; the same question once more does. @param {string} path */
  async #why(path) {
    const here = this.meanwhile();
    const why = await ask(`${path}?tail=1`).then(() => "The log ended.", (error) => {
      if (!(error instanceof Refusal)) throw error;
      return error.message;
    });
    here(() => this.#over("bad", why));
  }
}
