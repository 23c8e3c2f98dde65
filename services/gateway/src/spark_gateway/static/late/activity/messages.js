// @ts-check
// Who is told what happened, and what became of it: targets and deliveries in words, and the form of a target.

import { ago, asSentence, coming, duration } from "../../format.js";

/** @typedef {import("../../types-owner.js").TargetView} TargetView */
/** @typedef {import("../../types-owner.js").DeliveryView} DeliveryView */
/** @typedef {import("../../types-control.js").FieldProblem} FieldProblem */
/** @typedef {import("../../types.js").Tone} Tone */
/** @typedef {{tone: Tone, icon: string, word: string}} Pill */
/**
 * @typedef {object} TargetForm
 * @property {string} id
 * @property {string} name
 * @property {import("../../types-owner.js").TargetKind} kind
 * @property {string} url
 * @property {string} address  Blank: what is saved stays.
 * @property {string} secret  Blank: what is saved stays.
 * @property {boolean} clear_secret
 * @property {import("../../types-owner.js").Topic[]} topics
 * @property {boolean} enabled
 */

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** @type {Record<import("../../types-owner.js").TargetKind, {label: string, example: string}>} */
export const TARGET_KINDS = {
  webhook: { label: "Webhook", example: "" },
  ntfy: { label: "ntfy", example: "ntfys://host/topic" },
  email: { label: "E-mail", example: "mailtos://user:password@host?to=you@host" },
  matrix: { label: "Matrix", example: "matrixs://user:password@host/#room" },
  gotify: { label: "Gotify", example: "gotifys://host/token" },
};

/** @type {Record<import("../../types-owner.js").Topic, {label: string, help: string}>} */
export const TOPICS = {
  swap: { label: "Swaps", help: "How each one ended." },
  lock: { label: "Reservations", help: "Taken, released, forced, the line." },
  schedule: { label: "Schedule", help: "Due, done, missed." },
  health: { label: "Health", help: "What fails and what is well again." },
  service: { label: "Services", help: "What was started, stopped or restarted." },
};

/** @param {TargetView} target @returns {Pill} */
export function targetPill(target) {
  if (!target.enabled) return { tone: "idle", icon: "stop", word: "Off" };
  if (target.dead > 0) return { tone: "bad", icon: "bad", word: `${target.dead} given up` };
  if (target.pending > 0) return { tone: "warn", icon: "clock", word: `${target.pending} waiting` };
  return target.last_status === null || target.last_status === undefined
    ? { tone: "idle", icon: "idle", word: "Nothing sent yet" }
    : { tone: "ok", icon: "ok", word: "Works" };
}

/** What is wrong with a target and what happens next. @param {TargetView} target @param {number} now */
export function targetTrouble(target, now) {
  const next = target.next_try_at ? `Next try ${coming(target.next_try_at, now)}.` : "";
  const error = asSentence(target.last_error ?? "");
  const dropped = target.dropped ? `${target.dropped} more were dropped: there is no room for so many.` : "";
  const waiting = target.dead > 0 && target.pending > 0 ? `${target.pending} more waiting.` : "";
  return [asSentence(target.disabled_because ?? ""), error, waiting, dropped, next].filter(Boolean).join(" ");
}

/** Where it goes, without what is secret. @param {TargetView} target */
export function targetPlace(target) {
  const where = target.kind === "webhook" ? target.url ?? "" : target.address ?? "";
  const signed = target.kind !== "webhook" ? "" : target.has_secret ? ", signed" : ", not signed";
  return `${TARGET_KINDS[target.kind]?.label ?? target.kind}: ${where || "no address"}${signed}`;
}

/** @param {DeliveryView} delivery @returns {Pill} */
export function deliveryPill({ state }) {
  if (state === "delivered") return { tone: "ok", icon: "ok", word: "Delivered" };
  return state === "dead" ? { tone: "bad", icon: "bad", word: "Given up" } : { tone: "warn", icon: "clock", word: "Waiting" };
}

/** @param {DeliveryView} delivery @param {number} now */
export function deliveryWords(delivery, now) {
  const tries = delivery.tries === 1 ? "1 try" : `${delivery.tries} tries`;
  const took = typeof delivery.latency_ms === "number" ? (delivery.latency_ms < 1000 ? `${Math.round(delivery.latency_ms)}\u00a0ms` : duration(delivery.latency_ms / 1000)) : "";
  const status = typeof delivery.status === "number" ? `status ${delivery.status}` : "";
  const next = delivery.state === "pending" && delivery.next_try_at ? `next try ${coming(delivery.next_try_at, now)}` : "";
  return [tries, status, took, next].filter(Boolean).join(", ");
}

/** @param {DeliveryView} delivery @param {number} now */
export const deliveryWhen = (delivery, now) => ago(delivery.created_at, now);

/** @param {TargetView|null} target @returns {TargetForm} */
export function targetForm(target) {
  return {
    id: target?.id ?? "", name: target?.name ?? "", kind: target?.kind ?? "webhook", url: target?.url ?? "", address: "", secret: "",
    clear_secret: false, topics: target?.topics ?? ["swap"], enabled: target?.enabled ?? true,
  };
}

/**
 * @param {TargetForm} form @param {TargetView|null} base
 * @returns {{target: any, problems: Map<string, FieldProblem[]>}}  what is left out stays as it is
 */
export function targetOf(form, base) {
  /** @type {Map<string, FieldProblem[]>} */
  const problems = new Map();
  /** @param {string} field @param {string} message */
  const wrong = (field, message) => problems.set(field, [{ field, message, severity: "error", near: [] }]);
  const webhook = form.kind === "webhook";
  if (!ID.test(form.id)) wrong("id", "Letters, digits, - and _, the first one a letter or digit, at most 64.");
  if (webhook && !/^https?:\/\/\S+$/.test(form.url.trim())) wrong("url", "Write the whole address, with http:// or https://.");
  const kept = base !== null && base.kind === form.kind && Boolean(base.address);
  if (!webhook && form.address.trim() === "" && !kept) wrong("address", `Write the address, such as ${TARGET_KINDS[form.kind].example}.`);
  if (form.topics.length === 0) wrong("topics", "Choose at least one.");
  const target = {
    name: form.name.trim() || null, kind: form.kind, topics: form.topics, enabled: form.enabled,
    ...(webhook ? { url: form.url.trim(), clear_secret: form.clear_secret } : {}),
    ...(webhook && form.secret !== "" && !form.clear_secret ? { secret: form.secret } : {}),
    ...(!webhook && form.address.trim() !== "" ? { address: form.address.trim() } : {}),
  };
  return { target, problems };
}
