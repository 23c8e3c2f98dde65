// @ts-check
// Questions to the redaction service. What is pasted goes there and nowhere else, always in a body.

import { ask } from "../../api.js";
import { asked } from "../data-plane.js";

/**
 * @typedef {{token: string, type: string, occurrences: number}} Placeholder
 * @typedef {object} Hidden
 * @property {string} text
 * @property {string} session_id
 * @property {string} expires_at
 * @property {Placeholder[]} placeholders
 * @property {{entities: number, ner: string}} coverage
 * @property {string} prompt_hint
 *
 * @typedef {{text: string, restored: Record<string, number>, normalised: unknown[], unresolved: string[], blocked: string[]}} Back
 */

/** @param {string} path @param {unknown} body @param {AbortSignal} signal */
async function said(path, body, signal) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  return (await asked(path, { method: "POST", headers, body: JSON.stringify(body), signal })).json();
}

/**
 * @param {{text: string, names: string[], profile: string, seconds: number, session: string|null}} wanted
 * @param {AbortSignal} signal @returns {Promise<Hidden>}
 */
export function hide({ text, names, profile, seconds, session }, signal) {
  const entities = names.map((value) => ({ type: "PERSON", value }));
  return said("scrub", { text, entities, profile, ttl_s: seconds, ner: "best_effort", ...(session ? { session_id: session } : {}) }, signal);
}

/** What each placeholder stands for, in their order. @param {string} session @param {string[]} tokens @param {AbortSignal} signal @returns {Promise<string[]>} */
export async function behind(session, tokens, signal) {
  if (tokens.length === 0) return [];
  const back = await said("rehydrate", { session_id: session, json: tokens, tolerance: "exact" }, signal);
  return back.json.map(String);
}

/**
 * @typedef {{session: string, tenant: string|null}} Opened  `tenant` is null for a session that this page began.
 * @param {Opened} opened @param {string} text @param {AbortSignal} signal @returns {Promise<Back>}
 */
export function putBack({ session, tenant }, text, signal) {
  if (tenant === null) return said("rehydrate", { session_id: session, text, format: "text" }, signal);
  // Of the list below, whoever's it is: that is asked as the one who runs the cluster.
  const path = [tenant, session].map(encodeURIComponent).join("/");
  return ask(`api/redaction/scopes/${path}/rehydrate`, { method: "POST", body: { text } });
}
