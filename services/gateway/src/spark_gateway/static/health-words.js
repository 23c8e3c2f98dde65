// @ts-check
// What the health checks say of the services, as far as every part of the page needs it.

import { asSentence, capital, count, listed } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Tone} Tone */
/** @typedef {import("./types-health.js").TargetView} TargetView */

/** What was heard of real work may be this old before it says nothing any more. */
const HEARD_MS = 90_000;

/**
 * A deep check that failed and that no restart came after: whether that helped is not known yet.
 * @param {import("./types-health.js").DeepService|null|undefined} deep
 */
export function isFailing(deep) {
  const { last, remedy } = deep ?? {};
  if (remedy && ["open", "suggested", "waiting"].includes(remedy.state)) return true;
  return Boolean(last && ["failing", "wedged"].includes(last.state) && !isUnproven(deep));
}

/** Restarted since the last check. @param {import("./types-health.js").DeepService|null|undefined} deep */
export function isUnproven(deep) {
  const at = deep?.remedy?.last_restart_at;
  return Boolean(at && deep.last && deep.last.state !== "ok" && Date.parse(at) > Date.parse(deep.last.at));
}

/**
 * Services whose real work fails, whatever their health says.
 * @param {State} state @param {number} now @returns {TargetView[]}
 */
function stuck({ known, health }, now) {
  const { deep } = known;
  if (!deep?.value || now - deep.at > HEARD_MS) return [];
  return deep.value.services.filter((/** @type {any} */ each) => !each.disabled && each.name !== "vllm" && isFailing(each)).flatMap((/** @type {any} */ each) => {
    const target = health?.targets.find((one) => one.name === each.name);
    const quiet = target?.maintenance || (target && target.level !== "up");
    return quiet ? [] : [{ ...(target ?? { name: each.name, kind: "service", label: each.label, maintenance: false, stale: false }), level: "degraded", reason: each.remedy?.state === "open" ? "Restarts did not help and it waits for you" : each.last?.sentence ?? "" }];
  });
}

/**
 * Services that are not well by themselves: what is under maintenance is known to be so, what runs on a
 * Spark that is away is that Spark's trouble, and the model server is told by who swaps.
 * @param {State} state @param {number} now @returns {{failing: TargetView[], unseen: TargetView[]}}
 */
export function unwell(state, now) {
  const { health } = state;
  const own = (health?.targets ?? []).filter((each) => each.kind !== "host" && each.name !== "vllm" && !each.because && !each.maintenance);
  return { failing: [...own.filter((each) => ["down", "degraded"].includes(each.level)), ...stuck(state, now)], unseen: own.filter((each) => each.stale && each.level === "unknown") };
}

/** Sparks that do not answer the health checks, by name. @param {State} state */
export function silentHosts({ health }) {
  return new Set((health?.targets ?? []).filter((each) => each.kind === "host" && each.level === "down").map((each) => each.name));
}

/** The Spark that does not answer and on which a service runs. @param {State} state @param {string|null} host @returns {string|null} its label */
export function awayHost(state, host) {
  if (!host || !silentHosts(state).has(host)) return null;
  return state.health?.targets.find((each) => each.name === host)?.label ?? host;
}

/** How many services were seen well just now. @param {State} state */
export function wellServices({ health }) {
  return (health?.targets ?? []).filter((each) => each.kind !== "host" && each.level === "up" && !each.stale).length;
}

/**
 * What of the services is to be said above all parts of the page.
 * @param {State} state @param {number} now @param {string} chat  What of chat may be promised.
 * @returns {{tone: Tone, icon: string, title: string, text: string}[]}
 */
export function serviceTroubles(state, now, chat) {
  const { failing, unseen } = unwell(state, now);
  const found = [];
  const down = failing.filter((each) => each.level === "down");
  const odd = failing.filter((each) => each.level !== "down");
  if (down.length > 0) found.push({ tone: /** @type {Tone} */ ("bad"), icon: "bad", title: `${names(down)} ${isOrAre(down)} down`, text: `${why(down)}${chat}`.trim() });
  if (odd.length > 0) found.push({ tone: /** @type {Tone} */ ("warn"), icon: "warn", title: `${names(odd)} ${isOrAre(odd)} not right`, text: `${why(odd)}${chat}`.trim() });
  if (unseen.length > 0) found.push({ tone: /** @type {Tone} */ ("warn"), icon: "clock", title: `${names(unseen)} not seen lately`, text: `Nobody can tell how ${unseen.length > 1 ? "they are" : "it is"}.` });
  return found;
}

/** @param {TargetView[]} targets */
function names(targets) {
  return capital(targets.length > 3 ? `${count(targets.length)} services` : listed(targets.map((each) => each.label)));
}

/** @param {TargetView[]} targets */
function isOrAre(targets) {
  return targets.length > 1 ? "are" : "is";
}

/** The reason, where there is only one. @param {TargetView[]} targets */
function why([first, ...others]) {
  return others.length === 0 && first.reason ? `${asSentence(first.reason)} ` : "";
}

/** The number on the tab of the services. @param {State} state @param {number} now @returns {{tone: "bad"|"warn", text: string, words: string}|null} */
export function serviceCount(state, now) {
  if (state.link !== "live") return null;
  const { failing, unseen } = unwell(state, now);
  if (failing.length > 0) return { tone: "bad", text: count(failing.length), words: "not well" };
  return unseen.length > 0 ? { tone: "warn", text: count(unseen.length), words: "not seen lately" } : null;
}
