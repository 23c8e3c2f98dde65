// @ts-check
// The state of the page: a pure reducer over what the server said, and who listens.

import { onCare } from "./reduce-care.js";
import { downloadEnded, downloadMoved, downloadSeen, freshDownloads, freshUpdates, updateEnded, updateMoved, updateSeen } from "./reduce-jobs.js";
import { onLease } from "./reduce-lease.js";
import { onKnown } from "./reduce-owner.js";
import { fresher, onOutcome, onProgress, onView } from "./reduce-swaps.js";
import { tabOf } from "./tabs.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {{type: string, data?: any, at?: number}} Message */

/** @returns {State} */
export function initialState() {
  return {
    tab: "home",
    link: "connecting",
    heardAt: 0,
    version: null,
    outdated: false,
    demo: false,
    menu: null,
    swaps: null,
    downloads: null,
    updates: null,
    jobLog: null,
    lease: null,
    leaseAt: 0,
    holding: null,
    capture: null,
    held: 0,
    known: {},
    health: null,
    care: {},
    etaAt: 0,
    components: [],
    bus: { connected: true },
    log: null,
    dismissed: [],
  };
}

/**
 * The next state. Unknown messages change nothing: a newer server may say more than this page knows.
 * @param {State} state
 * @param {Message} message  `at`: milliseconds when it was heard.
 * @returns {State}
 */
export function reduce(state, message) {
  const { type, data, at = 0 } = message;
  const heard = { ...state, heardAt: Math.max(at, state.heardAt) };
  switch (type) {
    case "link":
      return { ...state, link: data };
    case "heard":
      return heard;
    case "dismissed":
      return { ...state, dismissed: [...state.dismissed, ...data] };
    case "holding":
      return { ...state, holding: data };
    case "tab":
      return { ...state, tab: tabOf(data, state.tab) };
    case "known":
      return onKnown(state, data, at);
    case "lease":
      return onLease(heard, data, at);
    case "capture":
      return { ...heard, capture: data };
    case "health":
      return { ...heard, health: data };
    case "held":
      return { ...heard, held: data };
    case "snapshot":
      return onSnapshot(heard, data, at);
    case "menu":
      return { ...heard, menu: data };
    case "swaps":
      return { ...heard, swaps: fresher(state.swaps, data), etaAt: at };
    case "components":
      return { ...heard, components: data };
    case "bus":
      return { ...heard, bus: data };
    case "swap.view":
      return onView(heard, data, at);
    case "swap.log":
      return { ...state, log: whole(data) };
    case "swap.progress":
      return onProgress(heard, data, at);
    case "swap.complete":
      return onOutcome(heard, data, "ready");
    case "swap.failed":
      return onOutcome(heard, data, data.outcome);
    case "downloads":
      return { ...heard, downloads: freshDownloads(state.downloads, data) };
    case "download.view":
      return { ...heard, downloads: downloadSeen(state.downloads, data) };
    case "download.progress":
      return { ...heard, downloads: downloadMoved(state.downloads, data) };
    case "download.complete":
    case "download.failed":
      return { ...heard, downloads: downloadEnded(state.downloads, data) };
    case "updates":
      return { ...heard, updates: freshUpdates(state.updates, data) };
    case "update.view":
      return { ...heard, updates: updateSeen(state.updates, data) };
    case "update.progress":
      return updateMoved(heard, data);
    case "update.complete":
    case "update.failed":
      return { ...heard, updates: updateEnded(state.updates, data) };
    default:
      if (/^(install|overlay)\./.test(type)) return { ...heard, care: onCare(state.care, data) };
      return /^(lock|schedule)\./.test(type) ? heard : state;
  }
}

/** A log that was read at once; its lines carry their own time. @param {{id: string, lines: string[]}} read @returns {State["log"]} */
function whole({ id, lines }) {
  return { id, n: Number.MAX_SAFE_INTEGER, dropped: 0, entries: lines.map((text) => ({ at: "", text })) };
}

/** @param {State} state @param {import("./types.js").Snapshot} data @param {number} at @returns {State} */
function onSnapshot(state, data, at) {
  return {
    ...state,
    link: "live",
    version: state.version ?? data.version,
    outdated: state.outdated || (state.version !== null && state.version !== data.version),
    demo: data.demo === true,
    menu: data.menu,
    swaps: data.swaps,
    downloads: data.downloads ?? null,
    updates: data.updates ?? null,
    lease: data.lease ?? null,
    leaseAt: at,
    capture: data.capture ?? null,
    held: data.held ?? 0,
    health: data.health ?? null,
    etaAt: at,
    components: data.components ?? [],
    bus: data.bus ?? { connected: true },
  };
}

/** Holds the state and tells who listens that it changed. */
export class Store extends EventTarget {
  constructor() {
    super();
    this.state = initialState();
  }

  /** @param {Message} message */
  say(message) {
    const next = reduce(this.state, message);
    if (next !== this.state) {
      this.state = next;
      this.dispatchEvent(new Event("change"));
    }
    this.dispatchEvent(new CustomEvent("told", { detail: message }));
  }
}
