// @ts-check
// What is asked before a service is touched: who goes without it, what goes on, and whose reservation it crosses.

import { duration, listed } from "../../format.js";
import { isFailing } from "../../health-words.js";
import { reserved } from "../../lease-words.js";

/** @typedef {import("../../types.js").State} State */
/** @typedef {import("../../elements/confirm-dialog.js").Question} Question */
/** @typedef {import("../../elements/confirm-dialog.js").Effect} Effect */
/** @typedef {import("../../types-health.js").ServiceView} ServiceView */

/** Who goes without what. @type {Record<string, [string, string]>} */
const WITHOUT = {
  speech_to_text: ["No transcription", "Recordings that are being written down fail; apps get an error and may try again."],
  text_to_speech: ["No spoken answers", "What is being spoken breaks off."],
  embeddings: ["No embeddings and no search by meaning", "Apps that index or search documents get errors."],
  vectors: ["No search", "Nothing that is stored is lost."],
  bot: ["No messages are forwarded", "They wait where they were sent, as far as that keeps them."],
};

const UNTIMED = "How long that takes is not known here.";

/** @param {ServiceView} service @returns {[string, string]} */
function without({ kind, label }) {
  return WITHOUT[kind] ?? [`No ${label}`, "Apps that use it get errors."];
}

/** Whether whoever holds the Sparks counts on it: it keeps a model on the GPU. @param {ServiceView} service */
function isBound({ kind, name, origin }) {
  return kind === "speech_to_text" || origin === "nim" || name === "magpie";
}

/**
 * Whose reservation is crossed when this is pressed; null when none is, or when that takes no decision.
 * @param {State} state @param {ServiceView} service @param {boolean} remedy @param {number} now @returns {string|null}
 */
export function crossed(state, service, remedy, now) {
  const taken = reserved(state, now);
  return taken && (remedy || isBound(service)) ? taken.holder : null;
}

/** What others do meanwhile, and whose reservation is crossed. @param {State} state @param {ServiceView} service @param {number} now @returns {Effect[]} */
function around(state, service, now) {
  /** @type {Effect[]} */
  const effects = [];
  const taken = reserved(state, now);
  if (taken) {
    const counts = isBound(service) ? ` ${taken.holder} counts on what is on the GPU.` : "";
    effects.push({ kind: "stop", icon: "lock", what: taken.text, how: `It is not asked: what ${taken.holder} does with ${service.label} fails meanwhile.${counts} The reservation itself stays.` });
  }
  const current = state.swaps?.current;
  if (current) effects.push({ kind: "wait", icon: "swap", what: `A swap to ${current.model_name} is running.`, how: "On a Spark that is part of it, this is refused until the swap is done." });
  const deep = state.known.deep?.value?.services ?? [];
  const works = (/** @type {ServiceView} */ each) => ["up", "busy"].includes(each.state) && !each.stale && !isFailing(deep.find((/** @type {any} */ one) => one.name === each.name));
  const others = (state.known.services?.value?.services ?? []).filter((/** @type {ServiceView} */ each) => each.name !== service.name && works(each)).map((/** @type {ServiceView} */ each) => (each.name === "vllm" ? "Chat" : each.label));
  if (others.length > 0) effects.push({ kind: "keep", icon: "ok", what: `${listed(others)} ${others.length === 1 ? "keeps" : "keep"} working.`, how: "" });
  return effects;
}

/** How long speech was away the last time it was restarted, as its job measured it. @param {State} state @returns {string} */
function lastRestart(state) {
  const steps = state.known.speech?.value?.job?.steps ?? [];
  const taken = steps.filter((/** @type {any} */ each) => ["restarting", "waiting"].includes(each.step) && typeof each.seconds === "number");
  const seconds = taken.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.seconds, 0);
  return taken.length === 2 ? `The last restart took ${duration(Math.max(1, seconds))}.` : UNTIMED;
}

/** @param {State} state @param {ServiceView} service @param {"start"|"restart"|"stop"} action @param {number} now @returns {Question} */
export function actQuestion(state, service, action, now) {
  const [what, how] = without(service);
  if (action === "start") {
    const start = { kind: /** @type {const} */ ("wait"), icon: "clock", what: "It takes memory on the GPU.", how: "" };
    return over({ title: `Start ${service.label}?`, effects: [start, ...around(state, service, now)], safe: "Not now", go: "Start", tone: "primary" }, crossed(state, service, false, now));
  }
  const lasts = action === "restart" ? "until it is ready again." : "until somebody starts it.";
  const took = action === "stop" ? "" : service.kind === "speech_to_text" ? lastRestart(state) : UNTIMED;
  return over({
    title: `${action === "restart" ? "Restart" : "Stop"} ${service.label}?`,
    effects: [{ kind: "stop", icon: action === "restart" ? "clock" : "stop", what: `${what} ${lasts}`, how: `${how} ${took}`.trim() }, ...around(state, service, now)],
    safe: action === "restart" ? "Not now" : "Keep it running",
    go: action === "restart" ? "Restart" : "Stop it",
    tone: action === "restart" ? "primary" : "danger-fill",
  }, crossed(state, service, false, now));
}

/** The same over the head of whoever holds the Sparks. @param {Question} question @param {string|null} holder @returns {Question} */
function over(question, holder) {
  if (holder === null) return question;
  return { ...question, title: question.title.replace(/\?$/, ` though ${holder} has reserved the Sparks?`), safe: "Leave it to the holder", go: `${question.go} anyway`, tone: "danger-fill" };
}

/** Through the remedy: it is refused while a swap runs. @param {State} state @param {ServiceView} service @param {number} now @returns {Question} */
export function remedyQuestion(state, service, now) {
  const current = state.swaps?.current;
  const blocked = current ? `A swap to ${current.model_name} is running. Press again when it is done.` : undefined;
  const question = over(actQuestion(state, service, "restart", now), crossed(state, service, true, now));
  const counts = { kind: /** @type {const} */ ("keep"), icon: "info", what: "It counts for none of the automatic restarts.", how: "A person decided it." };
  return { ...question, effects: [...question.effects, counts], ...(blocked ? { blocked } : {}) };
}

/** @param {State} state @param {ServiceView} service @param {number} now @returns {Question} */
export function bridgeQuestion(state, service, now) {
  const [what, how] = without(service);
  return {
    title: "Update the Matrix bridge?",
    effects: [
      { kind: "wait", icon: "clock", what: "Up to 25 minutes.", how: "The newest commit is fetched and built; what runs now goes on until that worked." },
      { kind: "stop", icon: "restart", what: `${what} while it is started anew.`, how },
      ...around(state, service, now),
    ],
    safe: "Not now", go: "Update", tone: "primary",
  };
}

/** @param {{label: string}} service @returns {Question} */
export function removeQuestion({ label }) {
  return {
    title: `Take ${label} off the list?`,
    effects: [
      { kind: "stop", icon: "x", what: "It is not watched any more.", how: "Nobody is told when it fails." },
      { kind: "keep", icon: "ok", what: "Its container is left alone.", how: "Put it on the list again at any time." },
    ],
    safe: "Keep it", go: "Take it off", tone: "danger-fill",
  };
}

/** @param {{label: string}} service @returns {Question} */
export function removeNimQuestion({ label }) {
  return {
    title: `Remove ${label}?`,
    effects: [{ kind: "stop", icon: "trash", what: "Its container is stopped and removed.", how: "Apps that use it get errors." }],
    choices: [{ name: "volume", label: "Delete what it downloaded too", help: "Else it stays in its volume, and installing it again is quick.", checked: false }],
    safe: "Keep it", go: "Remove it", tone: "danger-fill",
  };
}

/** @param {"reapply"|"undo"|"restart"} what @param {State} state @param {number} now @returns {Question} */
export function speechQuestion(what, state, now) {
  const taken = reserved(state, now);
  const current = state.swaps?.current;
  const blocked = taken ? taken.text : current ? `A swap to ${current.model_name} is running.` : "";
  const words = {
    reapply: { title: "Put our speech files back?", go: "Put back and restart", keep: "The old files are kept. If ours do not pass the check, nothing is restarted; if speech does not come up with them, the old ones come back." },
    undo: { title: "Bring back what was there before?", go: "Bring it back", keep: "Telling speakers apart needs our files; put them in place again at any time." },
    restart: { title: "Restart the speech container?", go: "Restart", keep: "Its files stay as they are." },
  }[what];
  return {
    title: words.title,
    effects: [
      { kind: "stop", icon: "clock", what: "No transcription while the speech container restarts.", how: `${WITHOUT.speech_to_text[1]} ${lastRestart(state)}` },
      { kind: "keep", icon: "ok", what: words.keep, how: "" },
    ],
    safe: "Not now", go: words.go, tone: "primary",
    ...(blocked ? { blocked: `${blocked} It can be done when that is over.` } : {}),
  };
}
