// @ts-check
// What is planned, and the collections that a schedule keeps.

import { getCalendar, getHome, listCollections, listSchedules } from "./asking.js";
import { CollectionList } from "./collection-list.js";
import { collections } from "./collections.js";
import { planning } from "./planning.js";
import { ScheduleDialog } from "./schedule-dialog.js";
import { SchedulePanel } from "./schedule-panel.js";
import { WEEK_DAYS } from "./scheduling.js";
import { WeekCalendar } from "./week-calendar.js";

export const views = ["schedule-panel"];

/** The coming days, from this morning on. */
function week() {
  const now = new Date();
  const day = (/** @type {number} */ offset) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset).toISOString();
  return getCalendar(day(0), day(WEEK_DAYS));
}

/**
 * @param {import("../../acts/acting.js").Acting} page
 * @param {{knowing: import("../../acts/knowing.js").Knowing}} tools
 * @returns {{wishes: import("../../acts/acting.js").Wishes, asks: []}}
 */
export function begin(page, { knowing }) {
  knowing.show("schedule", () => ({ schedules: listSchedules, calendar: week, home: getHome, collections: listCollections }));
  return { wishes: { ...planning(page, knowing), ...collections(page) }, asks: [] };
}

// Children before parents.
customElements.define("week-calendar", WeekCalendar);
customElements.define("collection-list", CollectionList);
customElements.define("schedule-panel", SchedulePanel);
customElements.define("schedule-dialog", ScheduleDialog);
