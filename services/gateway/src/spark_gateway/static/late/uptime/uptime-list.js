// @ts-check
// Up and down: a strip for each Spark and service, what is under maintenance, the way to the log.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { asSentence, ago, coming, dayTime } from "../../format.js";
import { looking } from "./acts.js";
import { axis, CELLS, HOURS, lastWords, percentWords, statePill, strip, stripWords } from "./strips.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("./strips.js").Transition} Transition */

const SVG = "http://www.w3.org/2000/svg";
const OLD_MS = 60_000;
const REACHES = { day: "last 24 hours", week: "last 7 days", month: "last 30 days" };

export class UptimeList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-uptime"));
    this.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      const reach = /** @type {HTMLElement|null} */ (target.closest("[data-reach]"));
      const window = /** @type {HTMLElement|null} */ (target.closest("[data-window]"));
      if (reach) wish(this, "show-uptime", { reach: reach.dataset.reach });
      if (window) wish(this, "end-maintenance", { id: window.dataset.window });
    });
    part(this, "details").addEventListener("click", () => wish(this, "open-connectivity"));
    part(this, "announce").addEventListener("click", () => wish(this, "open-maintenance"));
  }

  /** @param {View} view */
  set view({ state, tab, now }) {
    if (tab !== "activity") return;
    const known = state.known.connectivity;
    show(this, known !== undefined);
    if (!known) return;
    const log = known.value;
    const old = state.link !== "live" || now - known.at > OLD_MS;
    say(part(this, "title"), `Up and down, ${REACHES[looking.reach]}`);
    for (const button of this.querySelectorAll("[data-reach]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.reach === looking.reach));
    const late = log && (old || known.problem) ? `As of ${ago(known.at, now)}.` : "";
    const part1 = log?.complete === false ? "The log is still being read after a start; what is older comes." : "";
    sayOrHide(part(this, "problem"), [known.problem && asSentence(known.problem), late, part1].filter(Boolean).join(" ") || null);
    part(this, "announce").disabled = old;
    for (const name of ["rows", "axis", "details"]) show(part(this, name), log !== null);
    if (!log) return;
    this.firstElementChild?.toggleAttribute("data-old", old);
    this.#windows(log.maintenance, log.uptime, now);
    const from = now - HOURS[looking.reach] * 3600_000;
    const all = /** @type {Transition[]} */ (log.transitions);
    const cut = log.more && all.length > 0 ? Date.parse(all[all.length - 1].since) : 0;
    keyed(part(this, "rows"), log.uptime, (/** @type {any} */ each) => each.target, () => /** @type {HTMLElement} */ (cloned("t-uptime-row").firstElementChild), (row, each) => {
      const own = all.filter((one) => one.target === each.target);
      const failures = log.failures.filter((/** @type {any} */ one) => one.target === each.target);
      const level = ["idle", "busy"].includes(each.state) ? "up" : each.state;
      const maintained = log.maintenance.some((/** @type {any} */ window) => window.active && ["all", each.target].includes(window.target));
      say(part(row, "label"), each.label);
      setPill(part(row, "pill"), statePill(each.state, old));
      draw(part(row, "strip"), strip(own, { watched: each.uptime.watched_since, level, from, now, known: cut, failures }), `${each.label}: ${stripWords(own, level, now, failures)}. Up ${percentWords(each.uptime[looking.reach])} of the time watched.`);
      say(part(row, "percent"), percentWords(each.uptime[looking.reach]));
      say(part(row, "last"), maintained ? `under maintenance, ${lastWords(own, now, failures)}` : lastWords(own, now, failures));
    });
    keyed(part(this, "axis"), [...axis(from, now), "now"].map((text, index) => ({ text, key: String(index) })), (each) => each.key, () => document.createElement("span"), (span, each) => say(span, each.text));
  }

  /** @param {any[]} windows @param {any[]} targets @param {number} now */
  #windows(windows, targets, now) {
    show(part(this, "windows"), windows.length > 0);
    keyed(part(this, "windows"), windows, (window) => window.id, (window) => {
      const row = /** @type {HTMLElement} */ (cloned("t-maintenance-row").firstElementChild);
      part(row, "end").dataset.window = window.id;
      return row;
    }, (row, window) => {
      const what = window.target === "all" ? "Everything" : targets.find((each) => each.target === window.target)?.label ?? window.target;
      const when = window.active ? `until ${coming(window.ends_at, now)}` : `from ${coming(window.starts_at, now)} to ${coming(window.ends_at, now)}`;
      setPill(part(row, "pill"), window.active ? { tone: "now", icon: "clock", word: "Maintenance" } : { tone: "idle", icon: "cal", word: "Planned" });
      say(part(row, "text"), asSentence(`${what}, ${when}, announced by ${window.requested_by}${window.reason ? `: ${window.reason}` : ""}`));
      say(part(row, "end"), window.active ? "End it" : "Call it off");
      part(row, "end").setAttribute("aria-label", `${window.active ? "End" : "Call off"} the maintenance of ${what}, ${dayTime(window.starts_at, now)}`);
    });
  }
}

/** @param {SVGElement} svg @param {import("./strips.js").Cells[]} cells @param {string} label */
export function draw(svg, cells, label) {
  svg.setAttribute("aria-label", label);
  svg.setAttribute("viewBox", `0 0 ${CELLS} 1`);
  while (svg.childElementCount > cells.length) svg.lastElementChild?.remove();
  cells.forEach(({ x, width, level }, index) => {
    const rect = svg.children[index] ?? svg.appendChild(document.createElementNS(SVG, "rect"));
    for (const [name, value] of Object.entries({ x: String(x), width: String(width), height: "1", class: level })) rect.setAttribute(name, value);
  });
}
