// @ts-check
// What is loaded, is everything well, may I swap now: one function, so that no two places disagree.

import { capital, count, listed } from "./format.js";
import { serviceTroubles, silentHosts, wellServices } from "./health-words.js";
import { reserved } from "./lease-words.js";
import { isStale, modelName, servingName } from "./menu.js";
import { isChatAway, isOver, phaseWord } from "./phases.js";
import { isUpdating } from "./updating.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").Verdict} Verdict */
/** @typedef {import("./types.js").Tone} Tone */
/** @typedef {import("./types.js").SwapView} SwapView */

/** @type {Record<string, string>} */
const PARTS = {
  gateway: "the gateway",
  swapper: "model swaps",
  health: "health checks",
  coordinator: "reservations",
  "audio-proxy": "speech",
  redaction: "redaction",
};

/** @param {Tone} tone @param {string} icon @param {string} title @param {string} [text] @returns {Line} */
function line(tone, icon, title, text = "") {
  return { tone, icon, title, text };
}

/** Components that do not answer, in plain words. @param {State} state */
export function silentParts(state) {
  return state.components
    .filter((part) => part.state === "down")
    .map((part) => ({ name: part.name, word: PARTS[part.name] ?? part.name }));
}

/** @param {number} silent */
export function silentTitle(silent) {
  return silent === 1 ? "One part does not answer" : `${count(silent)} parts do not answer`;
}

/**
 * The newest swap that ended, when it ended without its model: what the failure card shows.
 * @param {State} state
 * @returns {SwapView|null}
 */
export function lastFailure(state) {
  if (!state.swaps || state.swaps.current) return null;
  const ended = state.swaps.recent
    .filter((swap) => isOver(swap.phase) && !swap.dry_run)
    .sort((a, b) => Date.parse(b.finished_at ?? b.created_at) - Date.parse(a.finished_at ?? a.created_at))[0];
  if (!ended || ended.phase === "ready" || state.dismissed.includes(ended.id)) return null;
  return ended;
}

/**
 * Everything that is not well, worst first; the first one leads.
 * @param {State} state
 * @param {number} now milliseconds
 * @returns {Line[]}
 */
export function troubles(state, now) {
  const found = [];
  if (!state.bus.connected) {
    found.push(line("bad", "bad", "Event bus is down", "Chat keeps working; swaps are paused until it is back."));
  }
  if (!state.menu) {
    found.push(line("bad", "bad", "No news from the Sparks", "The part that starts models does not answer. We keep asking."));
    return found;
  }
  const { hosts, runtime } = state.menu;
  const silentNow = silentHosts(state);
  const down = hosts.filter((host) => host.state === "unreachable" || silentNow.has(host.name));
  if (down.length > 0) {
    const names = listed(down.map((host) => host.label));
    const chat = servingName(state.menu) ? "Chat works on." : "We keep trying.";
    found.push(line("bad", "bad", `${names} cannot be reached`, down.length === hosts.length ? "We keep trying." : chat));
  }
  if (runtime.state === "unreachable") {
    found.push(line("bad", "bad", "The model server does not answer", runtime.detail ?? "Chat does not work."));
  } else if (runtime.state === "degraded") {
    found.push(line("bad", "bad", "The loaded model answers badly", runtime.detail ?? "Switch to it again, or to another one."));
  }
  found.push(...serviceTroubles(state, now, servingName(state.menu) && runtime.state === "serving" ? "Chat works." : ""));
  const silent = silentParts(state);
  if (silent.length > 0) {
    found.push(line("warn", "warn", silentTitle(silent.length), `${capital(listed(silent.map((part) => part.word)))}.`));
  }
  const old = hosts.filter((host) => isStale(host, now));
  if (old.length > 0) {
    const names = listed(old.map((host) => host.label));
    found.push(line("warn", "clock", `${names} not seen lately`, `What is shown of ${old.length === 1 ? "it" : "them"} may not be true any more.`));
  }
  return found;
}

/**
 * The verdicts of the page. What the top bar says and what the hero says come from here.
 * @param {State} state
 * @param {number} now milliseconds
 * @returns {Verdict}
 */
export function judge(state, now) {
  const halted = stopSign(state, now);
  if (halted) return halted;
  const menu = /** @type {import("./types.js").Menu} */ (state.menu);
  const bad = troubles(state, now);
  const current = state.swaps?.current ?? null;
  const well = bad[0] ? wellTrouble(bad) : wellLine(menu.hosts, state);
  const taken = reserved(state, now);
  if (taken) return reservedVerdict(state, menu, bad, well, taken);
  if (current) {
    const swap = line("now", "busy", "A swap is running", "Another one can be queued; it starts when this one is done.");
    return { overall: line("now", "busy", "Swapping", swappingSentence(current)), well, swap, may: "queue", reason: "" };
  }
  const down = menu.hosts.filter((host) => host.state === "unreachable");
  if (menu.hosts.length > 0 && down.length === menu.hosts.length) {
    const swap = line("bad", "bad", "No swap right now", "No Spark can be reached.");
    return { overall: short(bad[0], ""), well, swap, may: "no", reason: "No Spark can be reached" };
  }
  if (isUpdating(state)) {
    const paused = line("now", "clock", "The model launcher is being updated", "Chat goes on. A swap can be queued; it starts when the update is done.");
    return { overall: withoutPromise(overallOf(state, menu, bad), "The launcher is being updated."), well, swap: paused, may: "queue", reason: "" };
  }
  const swap = down.length > 0
    ? line("warn", "swap", `Swap without ${listed(down.map((host) => host.label))}`, "Models that need it wait until it is back.")
    : line("ok", "swap", "You can swap now", "No swap is running or waiting.");
  return { overall: overallOf(state, menu, bad), well, swap, may: "now", reason: "" };
}

/**
 * Somebody else decides what is loaded.
 * @param {State} state @param {import("./types.js").Menu} menu @param {Line[]} bad @param {Line} well
 * @param {NonNullable<ReturnType<typeof reserved>>} taken @returns {Verdict}
 */
function reservedVerdict(state, menu, bad, well, { reason, text, holder }) {
  const swap = line("warn", "lock", "Swapping is paused", text);
  const current = state.swaps?.current ?? null;
  const calm = overallOf(state, menu, bad);
  const overall = current ? line("now", "busy", "Swapping", swappingSentence(current))
    : calm.tone === "ok" || calm.tone === "idle" ? line("warn", "lock", "Reserved", text) : withoutPromise(calm, "Swaps are paused.");
  const away = menu.hosts.every((host) => host.state === "unreachable");
  return { overall, well, swap, may: "no", reason, ...(away ? {} : { over: holder }) };
}

/** States in which nobody may swap, and why. @param {State} state @param {number} now @returns {Verdict|null} */
function stopSign(state, now) {
  /** @param {Line} overall @param {string} reason @param {string} [text] @returns {Verdict} */
  const no = (overall, reason, text = `${reason}.`) => ({
    overall,
    well: line(overall.tone, overall.icon, overall.title, overall.text),
    swap: line("warn", "clock", "Swapping is paused", text),
    may: "no",
    reason,
  });
  if (state.link === "connecting") {
    return no(line("idle", "busy", "Connecting", "Asking spark-control what is loaded."), "Not connected yet");
  }
  if (state.link !== "live") {
    const old = state.heardAt > 0 ? "What you see may be old. " : "";
    return no(line("bad", "bad", "No connection", `${old}Trying again.`), "No connection to spark-control");
  }
  const [first] = troubles(state, now);
  if (!state.bus.connected) {
    return no(line("bad", "bad", first.title, first.text), "Swaps are paused: the event bus is down", "It goes on when the bus is back.");
  }
  if (!state.menu) {
    return no(line("bad", "bad", first.title, first.text), "The part that starts models does not answer", "It goes on when that part is back.");
  }
  if (state.menu.hosts.length === 0) {
    return no(line("idle", "idle", "Not set up", "Three steps and you are running."), "No Spark is set up");
  }
  return null;
}

/** @param {SwapView} swap */
function swappingSentence(swap) {
  if (swap.phase === "rolling_back") return `${swap.model_name} did not start. The old model is coming back.`;
  const chat = isChatAway(swap.phase) ? " Chat waits." : "";
  return `${swap.model_name}: ${phaseWord(swap.phase).toLowerCase()}.${chat}`;
}

/** @param {Line} trouble @param {string} text @returns {Line} */
function short(trouble, text) {
  return line(trouble.tone, trouble.icon, trouble.title, text || trouble.text);
}

/** The same, without the promise that one may swap at once. @param {Line} overall @param {string} instead @returns {Line} */
function withoutPromise(overall, instead) {
  return { ...overall, text: overall.text.replace(/ You can (swap|load one)\.$/, ` ${instead}`) };
}

/** @param {State} state @param {import("./types.js").Menu} menu @param {Line[]} bad @returns {Line} */
function overallOf(state, menu, bad) {
  const serving = servingName(menu);
  const failure = lastFailure(state);
  if (bad[0]) return short(bad[0], bad[0].text);
  const ready = serving ? `${serving} is ready. You can swap.` : "";
  if (failure && failure.phase !== "cancelled") {
    const word = failure.phase === "rolled_back" ? "Swap rolled back" : "Swap failed";
    return line("warn", "warn", word, ready || "No model is loaded. You can swap.");
  }
  if (menu.runtime.state === "starting") {
    const name = modelName(menu.runtime.model, menu) || menu.runtime.served_name || "A model";
    return line("now", "busy", "Starting", `${name} is starting.`);
  }
  if (menu.runtime.state === "unknown") return line("idle", "busy", "Looking", "The Sparks are being looked at.");
  if (!serving) return line("idle", "idle", "Idle", "No model is loaded. You can load one.");
  return line("ok", "ok", "All well", ready);
}

/** @param {Line[]} bad @returns {Line} */
function wellTrouble(bad) {
  const more = bad.length - 1;
  const text = more > 0 ? `${bad[0].text} ${count(more)} more ${more === 1 ? "thing needs" : "things need"} a look.` : bad[0].text;
  return line(bad[0].tone, bad[0].tone === "bad" ? "x" : bad[0].icon, bad[0].title, text);
}

/** @param {import("./types.js").HostView[]} hosts @param {State} state @returns {Line} */
function wellLine(hosts, state) {
  const unknown = hosts.filter((host) => host.state === "unknown").length;
  if (unknown > 0) return line("idle", "clock", "Looking at the Sparks", "The first look is on its way.");
  const sparks = `${count(hosts.length)} ${hosts.length === 1 ? "Spark" : "Sparks"}`;
  const parts = state.components.every((part) => part.state === "up") ? state.components.length : 0;
  const services = wellServices(state);
  const words = services > 0 ? `, ${count(services)} ${services === 1 ? "service" : "services"}` : "";
  const rest = parts > 0 ? ` and ${count(parts)} ${parts === 1 ? "part" : "parts"} of spark-control` : "";
  const title = lastFailure(state) ? "Everything else is well" : "Everything is well";
  return line("ok", "check", title, `${sparks}${words}${rest} ${hosts.length === 1 && parts === 0 && services === 0 ? "answers" : "answer"}.`);
}
