// @ts-check
// The one state a card of the menu shows; the first that applies wins.

import { downloadOf, downloadPill, downloadWords } from "./downloading.js";
import { diskSize, listed } from "./format.js";
import { hostLabel } from "./menu.js";
import { isChatAway } from "./phases.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Menu} Menu */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").HostView} HostView */
/** @typedef {import("./types.js").Swaps} Swaps */
/** @typedef {import("./types.js").Tone} Tone */
/** @typedef {import("./types-control.js").Downloads} Downloads */
/**
 * @typedef {object} CardState
 * @property {"loaded"|"degraded"|"leaving"|"loading"|"queued"|"ready"|"needs_setup"|"incomplete"|"broken"
 *   |"downloading"|"missing"|"host_down"|"quarantined"|"too_big"} kind
 * @property {{tone: Tone, icon: string, word: string}|null} pill
 * @property {string} text  One plain sentence, or nothing to add.
 * @property {number|null} [percent]  What a bar shows: of a download, or of a half one on the disk.
 */

const MISSING_SHOWN = 3;

/** @param {Tone} tone @param {string} icon @param {string} word */
const pill = (tone, icon, word) => ({ tone, icon, word });

/**
 * Labels of the Sparks that are missing for this model right now.
 * @param {ModelView} model
 * @param {HostView[]} hosts
 */
export function sparksInTheWay(model, hosts) {
  const away = hosts.filter((host) => host.state === "unreachable");
  if (model.mode === "cluster") return away.map((host) => host.label);
  const holders = model.copies.filter((copy) => copy.state === "ready").map((copy) => copy.host);
  const reachable = holders.some((name) => !away.some((host) => host.name === name));
  return holders.length === 0 || reachable ? [] : away.filter((host) => holders.includes(host.name)).map((host) => host.label);
}

/**
 * @param {ModelView} model
 * @param {Menu} menu
 * @param {Swaps|null} swaps
 * @param {Downloads|null} [downloads]
 * @returns {CardState}
 */
export function cardState(model, menu, swaps, downloads = null) {
  const current = swaps?.current;
  if (current && current.model === model.key && !current.dry_run) {
    return { kind: "loading", pill: pill("now", "busy", "Loading"), text: "", percent: current.percent };
  }
  const waiting = swaps?.queue.find((swap) => swap.model === model.key);
  if (waiting) return { kind: "queued", pill: pill("now", "clock", `Queued by ${waiting.requested_by}`), text: "" };
  if (model.loaded && current && isChatAway(current.phase)) return { kind: "leaving", pill: pill("idle", "stop", "Being replaced"), text: "" };
  if (model.loaded && menu.runtime.state === "degraded") {
    return { kind: "degraded", pill: pill("bad", "bad", "Answers badly"), text: menu.runtime.detail ?? "Its answers do not look right." };
  }
  const download = downloadOf(model, downloads);
  if (model.loaded) {
    const more = download ? downloadWords(download) : "";
    return { kind: "loaded", pill: pill("ok", "ok", "Loaded"), text: more };
  }
  if (download) return { kind: "downloading", pill: downloadPill(download), text: downloadWords(download), percent: download.percent };
  if (model.quarantine) {
    return { kind: "quarantined", pill: pill("bad", "bad", "Took a Spark down"), text: `${model.quarantine.reason} It is not loaded until you let it.` };
  }
  if (model.state !== "ready") return unready(model, menu.hosts);
  const away = sparksInTheWay(model, menu.hosts);
  if (away.length > 0) return { kind: "host_down", pill: null, text: `Needs ${listed(away)}, which cannot be reached.` };
  if (model.fit?.verdict === "bad") return { kind: "too_big", pill: pill("warn", "warn", "Does not fit"), text: "" };
  return { kind: "ready", pill: model.local_path ? pill("line", "folder", "Local") : null, text: "" };
}

/** @param {ModelView} model @param {HostView[]} hosts @returns {CardState} */
function unready(model, hosts) {
  const partial = model.copies.filter((copy) => copy.state !== "ready");
  const sizes = partial.map((copy) => `${diskSize(copy.size_bytes)} on ${hostLabel(copy.host, hosts)}`);
  if (model.state === "needs_setup") {
    return {
      kind: "needs_setup",
      pill: pill("warn", "warn", "Needs setup"),
      text: "It is on the disk, but spark-control has not started it before. We read its files and fill in a form for you.",
    };
  }
  if (model.state === "downloading") {
    return { kind: "downloading", pill: pill("now", "down", "Downloading"), text: sizes.length > 0 ? `So far: ${listed(sizes)}.` : "It is being downloaded." };
  }
  if (model.state === "missing") return { kind: "missing", pill: pill("idle", "idle", "Not on disk"), text: "No Spark has it on disk." };
  const broken = partial.filter((copy) => copy.state === "broken");
  if (broken.length > 0) {
    const where = listed(broken.map((copy) => hostLabel(copy.host, hosts)));
    return { kind: "broken", pill: pill("bad", "bad", "Broken"), text: `Its files on ${where} cannot be used. ${missingWords(broken)}Delete it, then download it again.` };
  }
  return halfway(model, partial, sizes, hosts);
}

/** @param {ModelView} model @param {ModelView["copies"]} partial @param {string[]} sizes @param {HostView[]} hosts @returns {CardState} */
function halfway(model, partial, sizes, hosts) {
  if (partial.length === 0) {
    return { kind: "incomplete", pill: pill("warn", "down", "Not everywhere"), text: "It runs on all Sparks together, but not all of them have it on disk." };
  }
  const largest = Math.max(...partial.map((copy) => copy.size_bytes));
  if (largest === 0) {
    const where = listed(partial.map((copy) => hostLabel(copy.host, hosts)));
    return { kind: "incomplete", pill: pill("warn", "down", "Not downloaded"), text: `There is a folder for it on ${where}, but no file in it yet.` };
  }
  const percent = model.expected_bytes ? Math.min(99, Math.floor((largest / model.expected_bytes) * 100)) : null;
  const whole = model.expected_bytes ? ` of ${diskSize(model.expected_bytes)}` : "";
  const there = sizes.length === 1 && whole ? `${diskSize(largest)}${whole}` : listed(sizes);
  return {
    kind: "incomplete",
    pill: pill("warn", "down", percent === null ? "Half downloaded" : `${percent}\u00a0% downloaded`),
    text: `The download is not complete: ${there}. ${missingWords(partial)}`.trim(),
    percent,
  };
}

/** @param {ModelView["copies"]} copies */
function missingWords(copies) {
  const names = [...new Set(copies.flatMap((copy) => copy.missing ?? []))];
  if (names.length === 0) return "";
  const more = names.length - MISSING_SHOWN;
  const shown = names.slice(0, MISSING_SHOWN);
  return `Not there yet: ${listed(more > 0 ? [...shown, `${more} more`] : shown)}. `;
}
