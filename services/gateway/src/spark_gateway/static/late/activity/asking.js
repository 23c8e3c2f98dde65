// @ts-check
// Questions and commands about who may come in, what they asked, and who is told what.

import { ask } from "../../api.js";
import { logQuery, PAGE } from "./request-log.js";
import { signature } from "../../whoami.js";

/** @param {string} id */
const named = (id) => encodeURIComponent(id);

/** @returns {Promise<{keys: import("../../types-owner.js").KeyView[]}>} */
export const listKeys = () => ask("api/keys");

/** The one answer with the key's text. @param {any} key @returns {Promise<import("../../types-owner.js").KeyView & {key: string}>} */
export const makeKey = (key) => ask("api/keys", { method: "POST", body: { ...key, requested_by: signature() } });

/** What is left out stays. @param {string} id @param {any} changes @returns {Promise<import("../../types-owner.js").KeyView>} */
export const changeKey = (id, changes) => ask(`api/keys/${named(id)}`, { method: "PATCH", body: { ...changes, requested_by: signature() } });

/** @param {string} id @returns {Promise<any>} */
export const revokeKey = (id) => ask(`api/keys/${named(id)}?${new URLSearchParams({ requested_by: signature() })}`, { method: "DELETE" });

/** @param {import("./request-log.js").Which} which @returns {Promise<import("../../types-owner.js").RequestPage>} */
export const listRequests = (which) => ask(`api/requests?${[`limit=${PAGE}`, logQuery(which)].filter(Boolean).join("&")}`, { patience: 25000 });

/** @param {number} minutes @returns {Promise<any>} */
export const beginCapture = (minutes) => ask("api/requests/capture", { method: "POST", body: { minutes, requested_by: signature() } });

/** @returns {Promise<{targets: import("../../types-owner.js").TargetView[]}>} */
export const listTargets = () => ask("api/webhooks");

/** @param {string} id @param {any} target  A secret that is left out stays. @returns {Promise<import("../../types-owner.js").TargetView>} */
export const putTarget = (id, target) => ask(`api/webhooks/${named(id)}`, { method: "PUT", body: target });

/** @param {string} id @returns {Promise<any>} */
export const removeTarget = (id) => ask(`api/webhooks/${named(id)}`, { method: "DELETE" });

/** @param {string} id @returns {Promise<import("../../types-owner.js").DeliveryView>} */
export const testTarget = (id) => ask(`api/webhooks/${named(id)}/test`, { method: "POST", body: {}, patience: 45000 });

/** @param {{target?: string, state?: string, before?: string, limit?: number}} [which] @returns {Promise<{deliveries: import("../../types-owner.js").DeliveryView[]}>} */
export const listDeliveries = (which = {}) => ask(`api/webhooks/deliveries?${new URLSearchParams(Object.entries(which).map(([key, value]) => [key, String(value)]))}`);

/** @param {string} id @returns {Promise<import("../../types-owner.js").DeliveryView>} */
export const sendAgain = (id) => ask(`api/webhooks/deliveries/${named(id)}/again`, { method: "POST", body: {} });

/** Messages that nobody could handle. @returns {Promise<{letters: import("../../types-owner.js").DeadLetter[], older_before?: number|null}>} */
export const listLetters = () => ask("api/dead-letters");

/** @param {number} days @returns {Promise<import("../../types-owner.js").Accountability>} */
export const getAccounts = (days) => ask(`api/accountability?days=${days}`);
