// @ts-check
// A service in words: how it is, how it worked at its last real job, what restarts it, what to press.

import { ago, asSentence, count, dayTime, duration } from "../../format.js";
import { isFailing, isUnproven } from "../../health-words.js";
import { hostLabel } from "../../menu.js";

/** @typedef {import("../../types.js").State} State */
/** @typedef {import("../../types.js").Tone} Tone */
/** @typedef {import("../../types-health.js").ServiceView} ServiceView */
/** @typedef {import("../../types-health.js").DeepService} DeepService */
/** @typedef {import("../../types-health.js").Remedy} Remedy */
/** @typedef {{tone: Tone, icon: string, word: string}} Pill */
/** @typedef {{key: string, tone: Tone, icon: string, text: string}} TileLine */
/** @typedef {{wish: string, label: string, icon?: string, primary?: boolean, danger?: boolean, detail: any}} Press */

/** What was heard of all services may be this old before it is old news. */
const ANSWER_MS = 40_000;

/** @type {Record<string, string>} */
const ICONS = { speech_to_text: "mic", text_to_speech: "speaker", embeddings: "nodes", vectors: "db", vllm: "chat", bot: "chat", nim: "spark", http: "out" };

/** @type {Record<string, Pill>} */
const PILLS = {
  up: { tone: "ok", icon: "ok", word: "Healthy" },
  idle: { tone: "idle", icon: "idle", word: "Idle" },
  busy: { tone: "now", icon: "clock", word: "Busy" },
  degraded: { tone: "warn", icon: "warn", word: "Not right" },
  down: { tone: "bad", icon: "bad", word: "Down" },
  unknown: { tone: "idle", icon: "clock", word: "Not known" },
};
const ACTING = { start: "Starting", stop: "Stopping", restart: "Restarting" };
/** @type {Record<string, [Tone, string, string]>} */
const DEEP = {
  ok: ["ok", "ok", "Deep check passed"],
  idle: ["idle", "idle", "Nothing to check"],
  busy: ["idle", "clock", "Too busy for the deep check, which proves nothing"],
  loading: ["idle", "clock", "Its model is being loaded"],
  failing: ["bad", "bad", "Deep check failed"],
  wedged: ["bad", "bad", "Deep check failed"],
  down: ["bad", "bad", "Deep check found nobody"],
  skipped: ["idle", "clock", "Not checked"],
};

/** @param {ServiceView} service */
export function serviceIcon(service) {
  return ICONS[service.kind] ?? "out";
}

/**
 * Whether what is known of the services may be shown as true, and since when not.
 * @param {State} state @param {"services"|"deep"} name @param {number} now milliseconds
 * @returns {{old: boolean, text: string}}
 */
export function currency(state, name, now) {
  const known = state.known[name];
  if (!known?.value) return { old: true, text: known?.problem ? asSentence(known.problem) : "" };
  const silent = state.link !== "live" || now - known.at > ANSWER_MS;
  return { old: silent, text: silent || known.problem ? `What is shown is from ${ago(known.at, now)}. ${known.problem ? asSentence(known.problem) : ""}`.trim() : "" };
}

/** Nobody can tell how it is, since the last good look is too old; what is down is known to be down. @param {ServiceView} service */
export function isUnseen({ stale, state }) {
  return stale && state === "unknown";
}

/** Stopped by somebody's wish, and not by a fault. @param {ServiceView} service */
export function isStopped({ container, last_action: last, state }) {
  const ended = container !== null && ["exited", "created"].includes(container.state);
  return state === "down" && ended && last?.action === "stop" && last.ok;
}

/**
 * The one word of a tile. Green takes a fresh good look and no failed deep check.
 * @param {ServiceView} service @param {DeepService|null} deep @param {boolean} old @param {string|null} [away]  Its Spark, if that does not answer. @returns {Pill}
 */
export function servicePill(service, deep, old, away = null) {
  if (old) return PILLS.unknown;
  if (away) return { tone: "bad", icon: "bad", word: "Spark away" };
  if (service.acting) return { tone: "now", icon: "busy", word: ACTING[service.acting] };
  if (deep?.remedy?.state === "working") return { tone: "now", icon: "busy", word: "Restarting" };
  if (deep?.remedy?.state === "open") return { tone: "bad", icon: "bad", word: "Needs you" };
  if (isUnseen(service)) return { tone: "warn", icon: "clock", word: "Not seen lately" };
  if (isStopped(service)) return { tone: "idle", icon: "idle", word: "Stopped" };
  if (service.container?.crash_loop && service.container.recent_restarts > (deep?.remedy?.restarts ?? 0)) return { tone: "bad", icon: "bad", word: "Crash loop" };
  if (["up", "idle", "busy"].includes(service.state)) {
    if (isUnproven(deep)) return { tone: "now", icon: "clock", word: "Just restarted" };
    if (isFailing(deep)) return { tone: "bad", icon: "bad", word: deep?.last?.state === "failing" ? "Failing" : "Stuck" };
  }
  return PILLS[service.state] ?? PILLS.unknown;
}

/** Below the name: where it runs and which version it is. @param {ServiceView} service @param {State} state */
export function techWords({ container, host, version, kind }, state) {
  const image = container?.image?.split("/").at(-1) ?? "";
  const where = host ? `on ${hostLabel(host, state.menu?.hosts ?? [])}` : "on another machine";
  const what = kind === "bot" ? "bot, container only" : image || (container ? container.name : "");
  return [what, version && !image.includes(version) ? `version ${version}` : "", where].filter(Boolean).join(" · ");
}

/**
 * The lines of a tile, the most pressing first.
 * @param {ServiceView} service @param {DeepService|null} deep @param {number} now milliseconds
 * @param {string|null} [away]  Its Spark, if that does not answer. @returns {TileLine[]}
 */
export function tileLines(service, deep, now, away = null) {
  if (away) return [{ key: "away", tone: "bad", icon: "bad", text: `${away} does not answer, and it runs there. It is looked for again as soon as that is back.` }, ...actionLines(service, now)];
  return [...stateLines(service, now), ...remedyLines(deep?.remedy ?? null, service, now), ...containerLines(service, deep?.remedy?.restarts ?? 0), ...actionLines(service, now)];
}

/**
 * What its target says beside that: maintenance that was announced, and that it comes and goes.
 * @param {{maintenance: boolean, flapping: boolean}|undefined} target @returns {TileLine[]}
 */
export function targetLines(target) {
  /** @type {TileLine[]} */
  const lines = [];
  if (target?.maintenance) lines.push({ key: "maintenance", tone: "now", icon: "cal", text: "Under maintenance: nobody is told of changes." });
  if (target?.flapping) lines.push({ key: "flapping", tone: "warn", icon: "pulse", text: "It comes and goes." });
  return lines;
}

/** The budget of its restarts. @param {Remedy} remedy */
export function budgetWords({ mode, restarts, most_restarts: most }) {
  return mode === "suggest" ? "Now it is only suggested, and you press it." : `${count(restarts)} of ${count(most)} used in the last 30 min.`;
}

/** @param {ServiceView} service @param {number} now @returns {TileLine[]} */
function stateLines(service, now) {
  const { state, reason, age_seconds: age, since } = service;
  if (isUnseen(service)) {
    const seen = age === null ? "It was never seen well." : `Seen well ${ago(now - age * 1000, now)}; whether it still is, nobody can tell.`;
    return [{ key: "state", tone: "warn", icon: "clock", text: reason ? `${seen} ${asSentence(reason)}` : seen }];
  }
  if (!reason) return [];
  const tone = { down: /** @type {Tone} */ ("bad"), degraded: /** @type {Tone} */ ("warn") }[String(state)] ?? "idle";
  const lasts = since && tone !== "idle" ? ` Since ${dayTime(since, now)}.` : "";
  return [{ key: "state", tone: isStopped(service) ? "idle" : tone, icon: { bad: "bad", warn: "warn" }[String(tone)] ?? "info", text: `${asSentence(reason)}${lasts}` }];
}

/** What restarts it by itself, and what does so no more. @param {Remedy|null} remedy @param {ServiceView} service @param {number} now @returns {TileLine[]} */
function remedyLines(remedy, service, now) {
  const runs = runsLine(service);
  if (!remedy) return runs;
  const { state, restarts, most_restarts: most, sentence, press, last_restart_at: last } = remedy;
  /** @type {TileLine[]} */
  const lines = [];
  if (state === "open") {
    lines.push({ key: "open", tone: "warn", icon: "warn", text: `Restarted ${times(Math.max(restarts, 1))} in 30 min, limit ${most}. No more restarts by itself: waiting for you.` });
  } else if (restarts > 0) {
    lines.push({ key: "restarts", tone: "warn", icon: "restart", text: `Restarted itself ${times(restarts)} in 30 min, limit ${most}${last ? `; last ${ago(last, now)}` : ""}.` });
  } else if (remedy.mode !== "never") lines.push(...runs);
  if (state !== "open" && sentence) {
    const [tone, icon] = /** @type {[Tone, string]} */ ({ working: ["now", "busy"], quiet: ["idle", "info"] }[String(state)] ?? ["warn", "warn"]);
    lines.push({ key: "remedy", tone, icon, text: asSentence(sentence) });
  }
  if (state === "open" && sentence) lines.push({ key: "remedy", tone: "bad", icon: "bad", text: asSentence(sentence) });
  if (press) lines.push({ key: "press", tone: "idle", icon: "info", text: asSentence(press) });
  return lines;
}

/** @param {ServiceView} service @returns {TileLine[]} */
function runsLine({ container }) {
  if (container?.state !== "running" || !container.up_seconds) return [];
  return [{ key: "runs", tone: "idle", icon: "clock", text: `Runs for ${duration(container.up_seconds)}${container.restart_count === 0 ? ", no restarts" : ""}.` }];
}

/** @param {ServiceView} service @param {number} restarts  Our own, which are told already. @returns {TileLine[]} */
function containerLines({ container, kind, name, reason }, restarts) {
  if (name === "vllm") return [{ key: "swaps", tone: "idle", icon: "swap", text: "Loaded and unloaded by swaps. No model loaded is idle, not failing." }];
  if (!container) return [];
  /** @type {TileLine[]} */
  const lines = [];
  if (container.crash_loop && container.recent_restarts > restarts) lines.push({ key: "loop", tone: "bad", icon: "restart", text: `It ends soon after every start: ${times(container.recent_restarts)} in 10 min.` });
  else if (container.recent_restarts > restarts) lines.push({ key: "loop", tone: "warn", icon: "restart", text: `It was started anew ${times(container.recent_restarts)} in 10 min.` });
  else if ((container.restart_count ?? 0) > 0) lines.push({ key: "loop", tone: "idle", icon: "restart", text: `Docker started it again ${times(container.restart_count ?? 0)} since somebody did.` });
  if (container.out_of_memory) lines.push({ key: "oom", tone: "bad", icon: "bad", text: "It ended because memory ran out." });
  else if (container.state === "exited" && container.exit_code) lines.push({ key: "exit", tone: "warn", icon: "info", text: `It ended with code ${container.exit_code}.` });
  if (container.problem) lines.push({ key: "docker", tone: "warn", icon: "warn", text: asSentence(container.problem) });
  if (container.state === "missing" && kind !== "vllm" && !/no container/.test(reason)) lines.push({ key: "missing", tone: "warn", icon: "info", text: `There is no container ${container.name} on its Spark.` });
  return lines;
}

/** What a person did last: what stands as it was left, and what did not work. @param {ServiceView} service @param {number} now @returns {TileLine[]} */
function actionLines({ last_action: last, acting }, now) {
  if (!last || acting) return [];
  const fresh = now - Date.parse(last.at) < 24 * 3600_000;
  const [verb, words] = { start: ["Start", "Started"], stop: ["Stop", "Stopped"], restart: ["Restart", "Restarted"] }[last.action] ?? [last.action, last.action];
  const why = last.reason ? `: ${last.reason}` : "";
  if (last.ok && (fresh || last.action === "stop")) return [{ key: "last", tone: "idle", icon: "clock", text: asSentence(`${words} by ${last.requested_by} ${dayTime(last.at, now)}${why}`) }];
  if (!last.ok && fresh) return [{ key: "last", tone: "bad", icon: "bad", text: asSentence(`${verb} asked for by ${last.requested_by} ${dayTime(last.at, now)} did not work: ${last.message}`) }];
  return [];
}

/** How it did its real work. @param {DeepService} deep @param {number} now @returns {TileLine} */
export function deepLine({ running, last }, now) {
  if (running) return { key: "deep", tone: "now", icon: "busy", text: "Being checked with real work." };
  if (!last) return { key: "deep", tone: "idle", icon: "clock", text: "Not checked with real work yet." };
  const [tone, icon, words] = DEEP[last.state] ?? ["idle", "info", last.state];
  const took = last.state === "ok" && last.latency_ms !== null ? `, ${latency(last.latency_ms)}` : "";
  const detail = last.state === "ok" ? "" : `: ${last.sentence}`;
  return { key: "deep", tone, icon, text: asSentence(`${words} ${ago(last.at, now)}${took}${detail}`) };
}

/** An earlier check, as one row. @param {import("../../types-health.js").DeepResult} result @param {number} now */
export function deepRow(result, now) {
  const [tone, icon, words] = DEEP[result.state] ?? ["idle", "info", result.state];
  const took = result.latency_ms === null ? "" : latency(result.latency_ms);
  return { pill: { tone, icon, word: { ok: "Passed", failing: "Failed", wedged: "Stuck", down: "Nobody there" }[result.state] ?? words.split(",")[0] }, when: dayTime(result.at, now), text: [result.sentence, took].filter(Boolean).join(" · ") };
}

/** What may be pressed on a tile, the main one first. @param {ServiceView} service @param {DeepService|null} deep @returns {Press[]} */
export function presses(service, deep) {
  const { name, label, actions, origin } = service;
  const remedy = deep?.remedy;
  const stuck = remedy && ["open", "suggested"].includes(remedy.state) && remedy.mode !== "never" && remedy.press !== null;
  /** @type {Press[]} */
  const found = [];
  if (stuck) {
    found.push({ wish: "apply-remedy", label: "Restart now…", icon: "restart", primary: true, detail: { name } });
    if (remedy.state === "open") found.push({ wish: "reset-remedy", label: "Try again by itself", detail: { name } });
  }
  const away = service.state === "down" && service.container !== null && service.container.state !== "running" && service.container.state !== "restarting";
  const startable = away && service.container?.state !== "missing";
  if (actions.includes("start") && startable) found.push({ wish: "act-on-service", label: "Start", primary: !stuck, detail: { name, action: "start" } });
  if (actions.includes("restart") && !stuck && !away) found.push({ wish: "act-on-service", label: "Restart…", icon: "restart", detail: { name, action: "restart" } });
  if (actions.includes("stop") && !away) found.push({ wish: "act-on-service", label: "Stop…", icon: "stop", detail: { name, action: "stop" } });
  if (origin === "bridge") found.push({ wish: "update-bridge", label: "Update…", icon: "down", detail: {} });
  if (service.has_logs) found.push({ wish: "open-service-log", label: "Logs", detail: { name, label } });
  return found;
}

/** What is pressed rarely. @param {ServiceView} service */
export function rarely({ name, label, removable, origin }) {
  if (origin === "nim") return [{ wish: "remove-nim", label: "Remove…", icon: "trash", danger: true, detail: { name, label } }];
  return removable ? [{ wish: "remove-service", label: "Take off the list…", icon: "trash", danger: true, detail: { name, label } }] : [];
}

/** @param {number} ms */
function latency(ms) {
  return ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`;
}

/** @param {number} number */
function times(number) {
  return number === 1 ? "once" : `${count(number)} times`;
}
