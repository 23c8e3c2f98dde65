// @ts-check
// Questions and commands about what is planned, and about the collections.

import { ask } from "../../api.js";
import { signature } from "../../whoami.js";

/** @param {string} id */
const named = (id) => encodeURIComponent(id);

/** @returns {Promise<{schedules: import("../../types-owner.js").ScheduleView[]}>} */
export const listSchedules = () => ask("api/schedule");

/** One with its latest runs. @param {string} id @returns {Promise<import("../../types-owner.js").ScheduleView>} */
export const getSchedule = (id) => ask(`api/schedule/${named(id)}`);

/** @param {string} from @param {string} to ISO 8601 @returns {Promise<import("../../types-owner.js").Calendar>} */
export const getCalendar = (from, to) => ask(`api/schedule/calendar?${new URLSearchParams({ from, to })}`);

/** @param {Partial<import("../../types-owner.js").PutSchedule>} schedule @returns {Promise<import("../../types-owner.js").ScheduleView>} */
export const putSchedule = (schedule) => ask("api/schedule", { method: "POST", body: schedule });

/** @param {string} id @returns {Promise<any>} */
export const removeSchedule = (id) => ask(`api/schedule?${new URLSearchParams({ id, requested_by: signature() })}`, { method: "DELETE" });

/** @returns {Promise<{collections: import("../../types-owner.js").CollectionView[]}>} */
export const listCollections = () => ask("api/search/collections");

/** Comes back when the file is whole. @param {string} collection @returns {Promise<import("../../types-owner.js").SnapshotTaken>} */
export const takeSnapshot = (collection) => ask(`api/search/collections/${named(collection)}/snapshots`, {
  method: "POST", body: { requested_by: signature() }, patience: 630000,
});

/** Whether the usual model comes back now. @returns {Promise<import("../../types-owner.js").HomeView>} */
export const getHome = () => ask("api/home");
