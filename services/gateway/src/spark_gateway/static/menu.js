// @ts-check
// What the menu means for a person: which model can be started, and why another cannot.

import { diskSize, listed } from "./format.js";
import { isChatAway } from "./phases.js";

/** @typedef {import("./types.js").Menu} Menu */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").HostView} HostView */
/** @typedef {import("./types.js").Swaps} Swaps */
/** @typedef {import("./types.js").Tone} Tone */
/**
 * @typedef {object} CardState
 * @property {"loaded"|"leaving"|"loading"|"queued"|"ready"|"needs_setup"|"incomplete"|"downloading"|"missing"|"host_down"} kind
 * @property {{tone: Tone, icon: string, word: string}|null} pill
 * @property {string} text  One plain sentence, or nothing to add.
 */

/** How long a Spark may stay unseen before its numbers are old news; it is looked at every few seconds. */
export const STALE_SECONDS = 120;

/** @type {Record<string, string>} */
const CAPABILITIES = { chat: "Chat", vision: "Pictures", tools: "Tools", reasoning: "Reasoning" };

/** @param {ModelView} model @param {number} hosts */
export function capabilityWords(model, hosts) {
  const where = model.mode === "cluster" ? (hosts > 2 ? "All Sparks" : "Both Sparks") : "Solo";
  return [where, ...model.capabilities.map((word) => CAPABILITIES[word] ?? word)];
}

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
 * The one state a card shows; the first that applies wins.
 * @param {ModelView} model
 * @param {Menu} menu
 * @param {Swaps|null} swaps
 * @returns {CardState}
 */
export function cardState(model, menu, swaps) {
  const current = swaps?.current;
  if (current && current.model === model.key && !current.dry_run) {
    return { kind: "loading", pill: { tone: "now", icon: "busy", word: "Loading" }, text: "" };
  }
  const waiting = swaps?.queue.find((swap) => swap.model === model.key);
  if (waiting) {
    return { kind: "queued", pill: { tone: "now", icon: "clock", word: `Queued by ${waiting.requested_by}` }, text: "" };
  }
  if (model.loaded && current && isChatAway(current.phase)) {
    return { kind: "leaving", pill: { tone: "idle", icon: "stop", word: "Being replaced" }, text: "" };
  }
  if (model.loaded) return { kind: "loaded", pill: { tone: "ok", icon: "ok", word: "Loaded" }, text: "" };
  if (model.state !== "ready") return unready(model, menu.hosts);
  const away = sparksInTheWay(model, menu.hosts);
  if (away.length > 0) {
    return {
      kind: "host_down",
      pill: null,
      text: `Needs ${listed(away)}, which cannot be reached.`,
    };
  }
  return { kind: "ready", pill: null, text: "" };
}

/** @param {ModelView} model @param {HostView[]} hosts @returns {CardState} */
function unready(model, hosts) {
  const partial = model.copies.filter((copy) => copy.state !== "ready");
  const sizes = partial.map((copy) => `${diskSize(copy.size_bytes)} on ${hostLabel(copy.host, hosts)}`);
  switch (model.state) {
    case "needs_setup":
      return {
        kind: "needs_setup",
        pill: { tone: "warn", icon: "warn", word: "Needs setup" },
        text: "It is on the disk, but there is no recipe yet that says how to start it.",
      };
    case "downloading":
      return {
        kind: "downloading",
        pill: { tone: "now", icon: "down", word: "Downloading" },
        text: sizes.length > 0 ? `So far: ${listed(sizes)}.` : "It is being downloaded.",
      };
    case "incomplete":
      return {
        kind: "incomplete",
        pill: { tone: "warn", icon: "down", word: partial.length > 0 ? "Half downloaded" : "Not everywhere" },
        text: partial.length > 0
          ? `The download is not complete: ${listed(sizes)}.`
          : "It runs on all Sparks together, but not all of them have it on disk.",
      };
    default:
      return { kind: "missing", pill: { tone: "idle", icon: "idle", word: "Not on disk" }, text: "No Spark has it on disk." };
  }
}

/** @param {string} name @param {HostView[]} hosts */
export function hostLabel(name, hosts) {
  return hosts.find((host) => host.name === name)?.label ?? name;
}

/**
 * What a Spark's disk holds of a model: `63.4 GB`, `not there`, `24.9 GB, not complete`.
 * @param {ModelView} model
 * @param {HostView} host
 */
export function copyWord(model, host) {
  const copy = model.copies.find((each) => each.host === host.name);
  if (!copy || copy.state === "no_snapshot") return "not there";
  const size = diskSize(copy.size_bytes);
  const state = copy.state === "ready" ? size : `${size}, ${copy.state === "downloading" ? "downloading" : "not complete"}`;
  return copy.stale ? `${state}, as last seen` : state;
}

/**
 * @param {HostView} host
 * @param {number} now milliseconds
 */
export function isStale(host, now) {
  return host.state === "online" && (!host.seen_at || now - Date.parse(host.seen_at) > STALE_SECONDS * 1000);
}

/** The model that serves, if it is on the menu. @param {Menu|null} menu */
export function loadedModel(menu) {
  if (!menu) return null;
  const { runtime } = menu;
  if (runtime.state !== "serving" && runtime.state !== "degraded") return null;
  return menu.models.find((model) => model.key === runtime.model) ?? null;
}

/** Name of what serves, on the menu or not; null when nothing does. @param {Menu|null} menu */
export function servingName(menu) {
  if (!menu || (menu.runtime.state !== "serving" && menu.runtime.state !== "degraded")) return null;
  return loadedModel(menu)?.name ?? menu.runtime.served_name ?? menu.runtime.model ?? null;
}

/** @param {string|null|undefined} key @param {Menu|null} menu */
export function modelName(key, menu) {
  if (!key) return "";
  return menu?.models.find((model) => model.key === key)?.name
    ?? menu?.recipes.find((recipe) => recipe.key === key)?.name
    ?? key;
}

/**
 * The cards and the rows below them for a search text and a filter.
 * @param {Menu} menu
 * @param {string} words
 * @param {"all"|"ready"|"setup"} filter
 */
export function choose(menu, words, filter) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (/** @type {{key: string, name: string, repo: string, capabilities?: string[]}} */ each) => {
    const text = `${each.key} ${each.name} ${each.repo} ${(each.capabilities ?? []).join(" ")}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  const onDisk = menu.models.filter((model) => model.state !== "missing");
  const cards = onDisk.filter((model) => matches(model)
    && (filter === "all" || (filter === "ready") === (model.state === "ready")));
  const known = new Set(onDisk.map((model) => model.key));
  const away = [...menu.models.filter((model) => model.state === "missing"), ...menu.recipes]
    .filter((each) => !known.has(each.key) && known.add(each.key));
  return { cards, away: filter === "all" ? away.filter(matches) : [] };
}
