// @ts-check
// Questions and commands about who may come in and what they asked: keys, the request log, the capture.

import { ask } from "../../api.js";
import { logQuery, PAGE } from "./request-log.js";
import { signature } from "../../whoami.js";

/** @returns {Promise<{keys: import("../../types-owner.js").KeyView[]}>} */
export const listKeys = () => ask("api/keys");

/** The one answer with the key's text. @param {any} key @returns {Promise<import("../../types-owner.js").KeyView & {key: string}>} */
export const makeKey = (key) => ask("api/keys", { method: "POST", body: { ...key, requested_by: signature() } });

/** What is left out stays. @param {string} id @param {any} changes @returns {Promise<import("../../types-owner.js").KeyView>} */
export const changeKey = (id, changes) => ask(`api/keys/${encodeURIComponent(id)}`, { method: "PATCH", body: { ...changes, requested_by: signature() } });

/** @param {string} id @returns {Promise<any>} */
export const revokeKey = (id) => ask(`api/keys/${encodeURIComponent(id)}?${new URLSearchParams({ requested_by: signature() })}`, { method: "DELETE" });

/** @param {import("./request-log.js").Which} which @returns {Promise<import("../../types-owner.js").RequestPage>} */
export const listRequests = (which) => ask(`api/requests?${[`limit=${PAGE}`, logQuery(which)].filter(Boolean).join("&")}`, { patience: 25000 });

/** @param {number} minutes @returns {Promise<any>} */
export const beginCapture = (minutes) => ask("api/requests/capture", { method: "POST", body: { minutes, requested_by: signature() } });
