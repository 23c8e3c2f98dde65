// @ts-check
// Questions and commands about what the owner edits: settings, schedules, messages, accounts.

import { ask } from "./api.js";
import { signature } from "./whoami.js";

/** @param {string} id */
const named = (id) => encodeURIComponent(id);

/** @returns {Promise<import("./types-owner.js").SettingsView>} */
export const getSettings = () => ask("api/settings");

/** @param {import("./types-owner.js").Changes} changes @returns {Promise<import("./types-owner.js").SettingsView>} */
export const changeSettings = (changes) => ask("api/settings", { method: "POST", body: { ...changes, requested_by: signature() } });

/** @param {string} passphrase  Empty: secrets are left out. @returns {Promise<any>} */
export const exportState = (passphrase) => ask("api/state/export", { method: "POST", body: passphrase ? { passphrase } : {} });

/** @param {any} document @param {string} passphrase @param {boolean} [only] Only say what would change. @returns {Promise<import("./types-owner.js").Imported>} */
export const importState = (document, passphrase, only = false) => ask("api/state/import", {
  method: "POST", patience: 45000,
  body: { document, requested_by: signature(), ...(passphrase ? { passphrase } : {}), ...(only ? { dry_run: true } : {}) },
});

/** @returns {Promise<{schedules: import("./types-owner.js").ScheduleView[]}>} */
export const listSchedules = () => ask("api/schedule");

/** One with its latest runs. @param {string} id @returns {Promise<import("./types-owner.js").ScheduleView>} */
export const getSchedule = (id) => ask(`api/schedule/${named(id)}`);

/** @param {string} from @param {string} to ISO 8601 @returns {Promise<import("./types-owner.js").Calendar>} */
export const getCalendar = (from, to) => ask(`api/schedule/calendar?${new URLSearchParams({ from, to })}`);

/** @param {Partial<import("./types-owner.js").PutSchedule>} schedule @returns {Promise<import("./types-owner.js").ScheduleView>} */
export const putSchedule = (schedule) => ask("api/schedule", { method: "POST", body: schedule });

/** @param {string} id @returns {Promise<any>} */
export const removeSchedule = (id) => ask(`api/schedule?${new URLSearchParams({ id, requested_by: signature() })}`, { method: "DELETE" });

/** @returns {Promise<{collections: import("./types-owner.js").CollectionView[]}>} */
export const listCollections = () => ask("api/search/collections");

/** Comes back when the file is whole. @param {string} collection @returns {Promise<import("./types-owner.js").SnapshotTaken>} */
export const takeSnapshot = (collection) => ask(`api/search/collections/${named(collection)}/snapshots`, {
  method: "POST", body: { requested_by: signature() }, patience: 630000,
});

/** Whether the usual model comes back now. @returns {Promise<import("./types-owner.js").HomeView>} */
export const getHome = () => ask("api/home");

/** @returns {Promise<{targets: import("./types-owner.js").TargetView[]}>} */
export const listTargets = () => ask("api/webhooks");

/** @param {string} id @param {any} target  A secret that is left out stays. @returns {Promise<import("./types-owner.js").TargetView>} */
export const putTarget = (id, target) => ask(`api/webhooks/${named(id)}`, { method: "PUT", body: target });

/** @param {string} id @returns {Promise<any>} */
export const removeTarget = (id) => ask(`api/webhooks/${named(id)}`, { method: "DELETE" });

/** @param {string} id @returns {Promise<import("./types-owner.js").DeliveryView>} */
export const testTarget = (id) => ask(`api/webhooks/${named(id)}/test`, { method: "POST", body: {}, patience: 45000 });

/** @param {{target?: string, state?: string, before?: string, limit?: number}} [which] @returns {Promise<{deliveries: import("./types-owner.js").DeliveryView[]}>} */
export const listDeliveries = (which = {}) => ask(`api/webhooks/deliveries?${new URLSearchParams(Object.entries(which).map(([key, value]) => [key, String(value)]))}`);

/** @param {string} id @returns {Promise<import("./types-owner.js").DeliveryView>} */
export const sendAgain = (id) => ask(`api/webhooks/deliveries/${named(id)}/again`, { method: "POST", body: {} });

/** Messages that nobody could handle. @returns {Promise<{letters: import("./types-owner.js").DeadLetter[], older_before?: number|null}>} */
export const listLetters = () => ask("api/dead-letters");

/** @param {number} days @returns {Promise<import("./types-owner.js").Accountability>} */
export const getAccounts = (days) => ask(`api/accountability?days=${days}`);
