// @ts-check
// The coming seven days: columns on a wide page, a list of days on a phone.

import { cloned, keyed, part, say, sayOrHide, setPill, show } from "../../dom.js";
import { weekOf } from "./scheduling.js";

export class WeekCalendar extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-week"));
  }

  /** @param {{calendar: import("../../types-owner.js").Calendar, now: number}} what */
  set week({ calendar, now }) {
    show(part(this, "cut"), calendar.cut);
    keyed(part(this, "days"), weekOf(calendar, now), (day) => day.key, () => /** @type {HTMLElement} */ (cloned("t-day").firstElementChild), (item, day) => {
      say(part(item, "day"), day.name);
      sayOrHide(part(item, "nothing"), day.lines.length === 0 ? day.nothing : null);
      item.classList.toggle("bare", day.lines.length === 0);
      keyed(part(item, "lines"), day.lines, (line) => line.key, () => /** @type {HTMLElement} */ (cloned("t-day-line").firstElementChild), (row, line) => {
        row.classList.toggle("clash", line.clash !== "");
        say(part(row, "time"), line.time);
        say(part(row, "name"), line.name);
        sayOrHide(part(row, "more"), line.more);
        setPill(part(row, "pill"), line.pill);
        sayOrHide(part(row, "clash"), line.clash);
      });
    });
  }
}
