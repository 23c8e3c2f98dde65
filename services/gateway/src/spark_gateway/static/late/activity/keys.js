// @ts-check
// API keys in words, and the form of one, new or standing. Pure.

import { count, dayTime, listed, localMinute } from "../../format.js";

/** @typedef {import("../../types-owner.js").KeyView} KeyView */
/** @typedef {import("../../types-control.js").FieldProblem} FieldProblem */
/** @typedef {{name: string, infer: boolean, admin: boolean, requests: string, tokens: string, concurrency: string, weight: string, models: string, expires: string}} KeyForm */

/** @param {KeyView} key @param {number} now @returns {import("./messages.js").Pill} */
export function keyPill(key, now) {
  if (!key.enabled) return { tone: "idle", icon: "info", word: "Off" };
  if (key.expires_at && Date.parse(key.expires_at) <= now) return { tone: "bad", icon: "bad", word: "Over" };
  return { tone: "ok", icon: "ok", word: "Works" };
}

/** What it opens. @param {KeyView} key */
export function keyOpens({ scopes, models }) {
  const places = [...(scopes.includes("infer") ? ["models"] : []), ...(scopes.includes("admin") ? ["this page"] : [])];
  return `Opens ${listed(places)}${models.length > 0 && scopes.includes("infer") ? `; only ${listed(models)}` : ""}.`;
}

/** @param {KeyView} key @param {number} now */
export function keyLimits(key, now) {
  const rates = [
    key.requests_per_minute ? `${count(key.requests_per_minute)} requests a minute` : "",
    key.tokens_per_minute ? `${count(key.tokens_per_minute)} tokens a minute` : "",
    key.concurrency ? `${count(key.concurrency)} at once` : "",
    key.weight > 1 ? `${key.weight} turns for one of others` : "",
  ].filter(Boolean);
  const end = key.expires_at ? ` Ends ${dayTime(key.expires_at, now)}.` : "";
  return `${rates.length > 0 ? `At most ${rates.join(", ")}.` : "No limits."}${end}`;
}

/** Known to the day. @param {KeyView} key */
export function keyUse(key) {
  return `Made by ${key.created_by}. ${key.last_used_on ? `Last used on ${key.last_used_on}.` : "Not used yet."}`;
}

/** @returns {KeyForm} */
export function emptyForm() {
  return { name: "", infer: true, admin: false, requests: "", tokens: "", concurrency: "", weight: "", models: "", expires: "" };
}

/** @param {KeyView} key @returns {KeyForm} */
export function formOf(key) {
  const limit = (/** @type {number} */ value) => (value ? String(value) : "");
  return {
    name: key.name, infer: key.scopes.includes("infer"), admin: key.scopes.includes("admin"),
    requests: limit(key.requests_per_minute), tokens: limit(key.tokens_per_minute), concurrency: limit(key.concurrency),
    weight: key.weight > 1 ? String(key.weight) : "", models: key.models.join("\n"), expires: key.expires_at ? localMinute(key.expires_at) : "",
  };
}

/**
 * What was changed of a standing key. Its end counts only where it was touched: it may be over already.
 * @param {KeyForm} before @param {KeyForm} form @param {number} now
 */
export function changesOf(before, form, now) {
  const sameEnd = form.expires === before.expires;
  const { key: after, problems } = keyOf(sameEnd ? { ...form, expires: "" } : form, now);
  const { key: standing } = keyOf({ ...before, expires: "" }, now);
  const changed = Object.entries(after).filter(([name, value]) => (name === "expires_at" ? !sameEnd : JSON.stringify(value) !== JSON.stringify(standing[name])));
  return { changes: Object.fromEntries(changed), problems };
}

/** @param {KeyForm} form @param {number} now @returns {{key: any, problems: Map<string, FieldProblem[]>}} */
export function keyOf(form, now) {
  /** @type {Map<string, FieldProblem[]>} */
  const problems = new Map();
  /** @param {string} field @param {string} message */
  const wrong = (field, message) => problems.set(field, [{ field, message, severity: "error", near: [] }]);
  /** @param {string} field @param {string} text @param {number} none @param {number} most */
  const whole = (field, text, none, most) => {
    const typed = text.trim();
    if (typed === "") return none;
    const value = Number(typed);
    if (!/^\d+$/.test(typed) || value < none || value > most) wrong(field, `Write a whole number from ${none} to ${count(most)}.`);
    return value;
  };
  const name = form.name.trim();
  if (name === "") wrong("name", "Write whose key it is.");
  const scopes = [...(form.infer ? ["infer"] : []), ...(form.admin ? ["admin"] : [])];
  if (scopes.length === 0) wrong("scopes", "Choose at least one.");
  const end = form.expires ? new Date(form.expires) : null;
  if (end && !(end.getTime() > now)) wrong("expires_at", "Choose a moment to come.");
  const key = {
    name, scopes,
    requests_per_minute: whole("requests_per_minute", form.requests, 0, 1e9),
    tokens_per_minute: whole("tokens_per_minute", form.tokens, 0, 1e9),
    concurrency: whole("concurrency", form.concurrency, 0, 10000),
    weight: whole("weight", form.weight, 1, 100),
    models: form.models.split(/[\n,]/).map((each) => each.trim()).filter(Boolean),
    expires_at: end && problems.size === 0 ? end.toISOString() : null,
  };
  return { key, problems };
}
