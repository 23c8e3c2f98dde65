// @ts-check
// What is planned: the coming week, clashes, and every entry with how it went last time.

import { cloned, keyed, part, say, sayOrHide, setBadge, setPill, show, wish } from "../../dom.js";
import { clashes, homeLook, lastWords, nextWords, repeats, runBy } from "./scheduling.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").ScheduleView} ScheduleView */

const CLASHES = 5;

export class SchedulePanel extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-schedule"));
    part(this, "add").addEventListener("click", () => wish(this, "open-schedule", { id: null }));
    part(this, "again").addEventListener("click", () => wish(this, "look-around"));
  }

  /** @param {View} view */
  set view(view) {
    const { state, now, tab } = view;
    show(this, tab === "schedule");
    if (tab !== "schedule") return;
    const { schedules, calendar, home } = state.known;
    const views = /** @type {ScheduleView[]|null} */ (schedules?.value?.schedules ?? null);
    const live = state.link === "live";
    const problem = schedules?.problem || calendar?.problem || "";
    part(this, "add").disabled = !live;
    show(part(this, "trouble"), problem !== "");
    say(part(this, "trouble-text"), `${problem}${views ? " What you see may be old." : ""}`);
    show(part(this, "reading"), !schedules);
    show(part(this, "week-card"), Boolean(calendar?.value));
    if (calendar?.value) part(this, "week").week = { calendar: calendar.value, now };
    this.#home(homeLook(home?.value ?? null, now));
    const found = clashes(views ?? [], now);
    show(part(this, "clashes"), found.length > 0);
    keyed(part(this, "clashes"), found.slice(0, CLASHES), (clash) => clash.key, () => /** @type {HTMLElement} */ (cloned("t-clash").firstElementChild), (box, clash) => {
      say(part(box, "title"), clash.title);
      say(part(box, "text"), clash.text);
    });
    sayOrHide(part(this, "more-clashes"), found.length > CLASHES ? `${found.length - CLASHES} more ${found.length - CLASHES === 1 ? "clash" : "clashes"} in the coming week.` : null);
    show(part(this, "entries"), views !== null);
    show(part(this, "none"), views?.length === 0);
    say(part(this, "zone"), `Times are ${Intl.DateTimeFormat().resolvedOptions().timeZone}`);
    this.#rows(views ?? [], now, live);
    part(this, "collections").view = view;
  }

  /** @param {ReturnType<typeof homeLook>} look */
  #home(look) {
    show(part(this, "home"), look !== null);
    if (!look) return;
    part(this, "home").className = look.tone === "warn" ? "notice warn" : "notice";
    setBadge(part(this, "home-badge"), look.tone, look.icon);
    say(part(this, "home-title"), look.title);
    say(part(this, "home-text"), look.text);
  }

  /** @param {ScheduleView[]} views @param {number} now @param {boolean} live */
  #rows(views, now, live) {
    show(part(this, "table"), views.length > 0);
    keyed(part(this, "rows"), views, (view) => view.schedule.id, (view) => {
      const row = /** @type {any} */ (cloned("t-schedule-row").firstElementChild);
      part(row, "edit").addEventListener("click", () => wish(this, "open-schedule", { id: view.schedule.id }));
      part(row, "remove").addEventListener("click", () => wish(this, "remove-schedule", { id: view.schedule.id }));
      return row;
    }, (row, view) => {
      const { schedule } = view;
      const name = schedule.name ?? schedule.id;
      say(part(row, "next"), nextWords(view, now));
      say(part(row, "name"), name);
      sayOrHide(part(row, "model"), [schedule.model, schedule.owner].filter(Boolean).join(", "));
      say(part(row, "repeats"), repeats(schedule));
      setPill(part(row, "by"), runBy(schedule.kind));
      const last = lastWords(view, now);
      setPill(part(row, "outcome"), last?.pill ?? null);
      say(part(row, "last"), last ? last.words : "never so far");
      sayOrHide(part(row, "message"), last?.message);
      for (const press of ["edit", "remove"]) {
        part(row, press).disabled = !live;
        part(row, press).setAttribute("aria-label", `${press === "edit" ? "Edit" : "Remove"} ${name}…`);
      }
    });
  }
}
