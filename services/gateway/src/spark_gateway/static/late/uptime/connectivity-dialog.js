// @ts-check
// The log of what went up and down, and apart from it what apps told.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { Sheet } from "../../elements/sheet.js";
import { asSentence, dayTime, duration } from "../../format.js";
import { csvOf, failureLasted } from "./strips.js";

/** @typedef {import("./strips.js").Transition} Transition */
/** @typedef {import("./strips.js").Failure} Failure */

/** @type {Record<string, {tone: import("../../types.js").Tone, icon: string, word: string}>} */
const PILLS = {
  up: { tone: "ok", icon: "ok", word: "Up again" },
  degraded: { tone: "warn", icon: "warn", word: "Not right" },
  down: { tone: "bad", icon: "bad", word: "Down" },
  unknown: { tone: "idle", icon: "clock", word: "Not known" },
};

export class ConnectivityDialog extends Sheet {
  static template = "t-connectivity-dialog";
  /** @type {any} */
  log = null;
  filter = "all";

  ready() {
    this.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement|null} */ (/** @type {Element} */ (event.target).closest("[data-filter]"));
      if (!button) return;
      this.filter = button.dataset.filter ?? "all";
      this.#fill();
    });
    part(this, "save").addEventListener("click", () => wish(this, "save-file", { name: "connectivity.csv", text: csvOf(this.log.transitions) }));
  }

  /** @param {any} log */
  begin(log) {
    this.log = log;
    this.head("Connectivity log", "Kept across restarts. Reports from apps are shown, but only our own checks decide what is up.");
    this.#fill();
    this.show(part(this, "safe"));
  }

  #fill() {
    const now = Date.now();
    for (const each of this.querySelectorAll("[data-filter]")) each.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (each).dataset.filter === this.filter));
    const own = this.filter === "reports" ? [] : /** @type {Transition[]} */ (this.log.transitions).filter((each) => this.filter === "all" || each.after === "down");
    const told = this.filter === "down" ? [] : this.log.reports;
    const rows = [
      ...own.map((each) => ({ key: each.id, at: each.since, lead: each.label, pill: PILLS[each.after] ?? PILLS.unknown, text: transitionWords(each) })),
      ...(this.filter === "all" ? /** @type {Failure[]} */ (this.log.failures) : []).map((each) => ({ key: `work ${each.target} ${each.since}`, at: each.since, lead: this.log.uptime.find((/** @type {any} */ one) => one.target === each.target)?.label ?? each.target, pill: { tone: /** @type {const} */ ("warn"), icon: "warn", word: each.state === "wedged" ? "Stuck" : "Failed" }, text: `${asSentence(each.sentence || "a check with real work failed")} ${failureLasted(each)}`.trim() })),
      ...told.map((/** @type {any} */ each) => ({ key: `report ${each.id}`, at: each.at, lead: each.service, pill: { tone: /** @type {const} */ ("line"), icon: "info", word: "App report" }, text: reportWords(each) })),
    ].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
    say(part(this, "sum"), rows.length === 1 ? "1 entry" : `${rows.length} entries${this.log.more ? ", older ones left out" : ""}`);
    show(part(this, "table"), rows.length > 0);
    sayOrHide(part(this, "none"), rows.length === 0 ? "Nothing changed in this time." : null);
    keyed(part(this, "rows"), rows, (row) => row.key, () => /** @type {HTMLElement} */ (cloned("t-connectivity-row").firstElementChild), (row, each) => {
      say(part(row, "when"), dayTime(each.at, now));
      say(part(row, "what"), each.lead);
      setPill(part(row, "pill"), each.pill);
      say(part(row, "text"), each.text);
    });
  }
}

/** @param {Transition} each */
function transitionWords({ reason, before, before_seconds: lasted, until, seconds, after, maintenance }) {
  const was = { up: "up", down: "down", degraded: "not right", unknown: "not known" }[before] ?? before;
  const had = lasted === null ? "" : `Had been ${was} for ${duration(lasted)}.`;
  const lasts = until !== null && after !== "up" ? `It lasted ${duration(seconds)}.` : "";
  return [reason ? asSentence(reason) : "", lasts, had, maintenance ? "During maintenance: nobody was told." : ""].filter(Boolean).join(" ");
}

/** @param {any} each */
function reportWords({ ok, source, error, ms }) {
  const what = ok ? "it worked" : error || "it did not work";
  return `${source || "an app"}: ${what}${typeof ms === "number" ? `, ${Math.round(ms)} ms` : ""}`;
}
