// @ts-check
// What the menu means for a person: names, places and abilities of models, and which are shown.

import { diskSize } from "./format.js";
import { isChatAway } from "./phases.js";

/** @typedef {import("./types.js").Menu} Menu */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").HostView} HostView */
/** How long a Spark may stay unseen before its numbers are old news; it is looked at every few seconds. */
export const STALE_SECONDS = 120;

/** @type {Record<string, string>} */
const COPY_WORDS = { downloading: "downloading", incomplete: "not complete", broken: "broken", no_snapshot: "not usable" };

/** @type {Record<string, string>} */
const CAPABILITIES = {
  chat: "Chat",
  vision: "Pictures",
  tools: "Tools",
  reasoning: "Reasoning",
  embeddings: "Embeddings",
  rerank: "Ranking",
};

/** @param {ModelView} model @param {number} hosts */
export function capabilityWords(model, hosts) {
  const where = model.mode === "cluster" ? (hosts > 2 ? "All Sparks" : "Both Sparks") : "Solo";
  const own = model.local_path ? ["Own fine-tune"] : [];
  return [where, ...model.capabilities.map((word) => CAPABILITIES[word] ?? word), ...own];
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
  if (!copy || (copy.state === "no_snapshot" && copy.size_bytes === 0)) return "not there";
  const size = diskSize(copy.size_bytes);
  const state = copy.state === "ready" ? size : `${size}, ${COPY_WORDS[copy.state]}`;
  return copy.stale ? `${state}, as last seen` : state;
}

/**
 * @param {HostView} host
 * @param {number} now milliseconds
 */
export function isStale(host, now) {
  return host.state === "online" && (!host.seen_at || now - Date.parse(host.seen_at) > STALE_SECONDS * 1000);
}

/** Where a model runs, in words. @param {"solo"|"cluster"|"either"} mode @param {number} hosts */
export function runsOn(mode, hosts) {
  if (mode === "either") return hosts > 1 ? "One Spark or more" : "One Spark";
  if (mode === "solo") return "One Spark";
  return hosts > 2 ? "All Sparks" : "Both Sparks";
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

/**
 * The name that apps are told: of the loaded model, or of the one that comes.
 * @param {import("./types.js").State} state
 * @returns {{model: string|null, next: boolean}}
 */
export function nameForApps(state) {
  const { runtime } = state.menu ?? {};
  const serves = runtime?.state === "serving" || runtime?.state === "degraded";
  const swap = state.swaps?.current;
  const next = swap && isChatAway(swap.phase) && swap.phase !== "rolling_back"
    ? state.menu?.models.find((each) => each.key === swap.model)?.served_name
    : null;
  const model = next ?? (serves ? runtime?.served_name ?? loadedModel(state.menu)?.served_name ?? null : null);
  return { model, next: Boolean(next) };
}
