// @ts-check
// What an event says, in a line. Pure; an event that nobody knows here says what it can.

import { duration } from "../../format.js";

/** @typedef {import("../../types.js").Tone} Tone */
/** @typedef {{id: string, source: string, type: string, time: string, data: Record<string, any>}} CloudEvent */
/** @typedef {{tone: Tone, icon: string, title: string, text: string}} Line */

/** Which events are shown, and their types as the server knows them. @type {{name: string, label: string, types: string[]}[]} */
export const KINDS = [
  { name: "all", label: "Everything", types: [] },
  { name: "swaps", label: "Swaps", types: ["swap.*"] },
  { name: "jobs", label: "Downloads, updates, installs", types: ["download.*", "update.*", "install.*", "overlay.*"] },
  { name: "lock", label: "Reservations", types: ["lock.*"] },
  { name: "schedule", label: "Schedule", types: ["schedule.*"] },
  { name: "health", label: "Up and down", types: ["health.transition", "service.action"] },
  { name: "checks", label: "Deep checks", types: ["health.checked"] },
];

/** `spark.swap.complete.v1` is `swap.complete`. @param {string} type */
export function shortType(type) {
  return type.replace(/^spark\./, "").replace(/\.v\d+$/, "");
}

/** @param {unknown} value */
const word = (value) => (typeof value === "string" ? value : "");
/** @param {unknown} who */
const by = (who) => (word(who) ? ` by ${word(who)}` : "");
/** Names stay as they are spelled: no capital at the beginning. @param {string} text */
const ended = (text) => (/[.!?\u2026]$/.test(text.trim()) || text.trim() === "" ? text.trim() : `${text.trim()}.`);
/** @param {unknown} seconds */
const took = (seconds) => (typeof seconds === "number" ? ` after ${duration(seconds)}` : "");

/** @type {Record<string, string>} */
const DROPPED = { left: "left the line", disappeared: "was not heard of and lost the place in line", waited_out: "waited as long as was wanted", not_taken_up: "did not take its turn" };

/** @param {unknown} queue */
function line(queue) {
  const waiting = Array.isArray(queue) ? queue.map((each) => word(each?.holder)).filter(Boolean) : [];
  return waiting.length > 0 ? `In line: ${waiting.join(", ")}` : "Nobody stands in line";
}

/** @type {Record<string, (data: Record<string, any>) => string>} */
const SAID = {
  "swap.accepted": (d) => `${d.model} was asked for${by(d.requested_by)}`,
  "swap.rejected": (d) => `${d.model} was refused, asked for${by(d.requested_by)}: ${d.message}`,
  "swap.complete": (d) => `${d.model} is ready${took(d.total_seconds)}${d.requested_by ? `, asked for${by(d.requested_by)}` : ""}`,
  "swap.failed": (d) => `${d.model}: ${word(d.outcome).replace("_", " ")}${took(d.total_seconds)}. ${word(d.cause?.sentence)}`,
  "lock.acquired": (d) => `${d.holder} reserved the Sparks${d.reason ? `: ${d.reason}` : ""}`,
  "lock.released": (d) => `${d.holder} released them${took(d.held_seconds)}`,
  "lock.expired": (d) => `The reservation of ${d.holder} ended by itself`,
  "lock.forced": (d) => `${d.requested_by} took them from ${d.holder}`,
  "lock.yield_requested": (d) => `${d.requested_by} asked ${d.holder} to release them${d.note ? `: ${d.note}` : ""}`,
  "lock.queued": (d) => `${d.holder} stands in line`,
  "lock.queue": (d) => line(d.queue),
  "lock.granted": (d) => `It is the turn of ${d.holder}`,
  "lock.dropped": (d) => `${d.holder} ${DROPPED[d.why] ?? "is not in line any more"}`,
  "lock.extended": (d) => `${d.holder} keeps them longer`,
  "lock.expiring": (d) => `The reservation of ${d.holder} ends soon`,
  "lock.freed": () => "The Sparks are free again",
  "schedule.due": (d) => `${d.name} begins`,
  "schedule.finished": (d) => `${d.name}: ${d.outcome}. ${word(d.message)}`,
  "schedule.missed": (d) => `${d.name} was missed: ${d.reason}`,
  "schedule.registered": (d) => `${d.name} was planned`,
  "schedule.removed": (d) => `${d.name} was taken off`,
  "health.transition": (d) => `${d.label} is ${d.to}, was ${d.from}${d.reason ? `: ${d.reason}` : ""}`,
  "health.checked": (d) => `${d.target}: ${[d.state, d.sentence].map(word).filter(Boolean).join(", ")}`,
  "service.action": (d) => `${d.service}: ${d.action}${by(d.requested_by)}. ${word(d.message)}`,
};

/** @param {string} type @param {Record<string, any>} data @returns {[Tone, string]} */
function look(type, data) {
  if (type === "health.transition") return data.to === "up" ? ["ok", "ok"] : data.to === "unknown" ? ["idle", "idle"] : [data.to === "down" ? "bad" : "warn", data.to === "down" ? "bad" : "warn"];
  if (type === "health.checked") return data.state === "ok" ? ["ok", "ok"] : data.state === "idle" ? ["idle", "idle"] : ["warn", "warn"];
  if (type === "schedule.finished" && data.outcome !== "done") return ["warn", "warn"];
  if (/\.(failed|rejected)$/.test(type) || data.ok === false) return ["bad", "bad"];
  if (/\.(missed|forced|dropped|expired)$/.test(type)) return ["warn", "warn"];
  return /\.complete$/.test(type) ? ["ok", "ok"] : ["idle", "info"];
}

/** @param {CloudEvent} event @returns {Line} */
export function lineOf({ type, data }) {
  const name = shortType(type);
  const said = data && typeof data === "object" ? data : {};
  const [tone, icon] = look(name, said);
  const known = SAID[name]?.(said).replace(/\bundefined\b|\bnull\b/g, "…");
  const rest = [said.what ?? said.repo ?? said.name ?? said.holder, said.cause?.sentence ?? said.sentence ?? said.message ?? said.reason].map(word).filter(Boolean);
  return { tone, icon, title: name, text: ended(known ?? rest.join(": ")) };
}

/** Whether a line has what is looked for, in its words or in all of the event. @param {CloudEvent} event @param {string} words */
export function fits(event, words) {
  const wanted = words.trim().toLowerCase();
  return wanted === "" || `${shortType(event.type)} ${lineOf(event).text} ${JSON.stringify(event.data)}`.toLowerCase().includes(wanted);
}
