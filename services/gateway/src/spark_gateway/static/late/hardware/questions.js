// @ts-check
// What is asked before a Spark is woken, started anew or shut down: what stops, and for whom.

import { listed } from "../../format.js";
import { reserved } from "../../lease-words.js";
import { loadedModel } from "../../menu.js";

/** @typedef {import("../../types.js").State} State */
/** @typedef {import("../../elements/confirm-dialog.js").Question} Question */
/** @typedef {import("../../elements/confirm-dialog.js").Effect} Effect */
/** @typedef {import("../../types-health.js").ServiceView} ServiceView */

/**
 * What stops with a Spark, and who waits for it.
 * @param {State} state @param {string} host @param {string} label @param {number} now @returns {Effect[]}
 */
export function stopsWith(state, host, label, now) {
  /** @type {Effect[]} */
  const found = [];
  const model = loadedModel(state.menu);
  const hosts = state.menu?.hosts ?? [];
  const here = model && (model.mode === "cluster" || hosts[0]?.name === host);
  if (model && here) {
    const both = model.mode === "cluster" ? "It needs both Sparks. " : "";
    found.push({ kind: "stop", icon: "chat", what: `${model.name} stops: no chat for anybody.`, how: `${both}Answers that are being written are cut off; the model must be loaded again.` });
  }
  const services = /** @type {ServiceView[]} */ (state.known.services?.value?.services ?? []).filter((each) => each.host === host && each.name !== "vllm" && each.state !== "down");
  if (services.length > 0) found.push({ kind: "stop", icon: "stop", what: `${listed(services.map((each) => each.label))} ${services.length === 1 ? "stops" : "stop"}.`, how: "Apps that use them get errors until they are back." });
  else if (!state.known.services?.value) found.push({ kind: "stop", icon: "stop", what: `Every service on ${label} stops.`, how: "Which ones is not known right now." });
  const current = state.swaps?.current;
  if (current) found.push({ kind: "stop", icon: "swap", what: `The swap to ${current.model_name} fails.`, how: "It is running now." });
  const downloads = (state.downloads?.running ?? []).filter((each) => each.places.some((place) => place.host === host));
  if (downloads.length > 0) found.push({ kind: "stop", icon: "down", what: `${downloads.length === 1 ? "A download stops" : `${downloads.length} downloads stop`}.`, how: "What is there already stays." });
  const taken = reserved(state, now);
  if (taken) found.push({ kind: "stop", icon: "lock", what: `${taken.holder} has reserved the Sparks.`, how: "Its work on this Spark ends; it is not asked." });
  return found;
}

/** @param {State} state @param {{name: string, label: string, action: "shutdown"|"reboot"}} wanted @param {number} now @returns {Question} */
export function offQuestion(state, { name, label, action }, now) {
  const others = (state.menu?.hosts ?? []).filter((each) => each.name !== name && each.state === "online").map((each) => each.label);
  /** @type {Effect[]} */
  const effects = stopsWith(state, name, label, now);
  effects.push(action === "reboot"
    ? { kind: "wait", icon: "clock", what: "It is away while it starts.", how: "That takes some minutes. Containers that start by themselves come back with it; a model does not." }
    : { kind: "stop", icon: "power", what: "It stays off.", how: "Waking it from here is best effort; else somebody presses its power button." });
  if (others.length > 0) effects.push({ kind: "keep", icon: "ok", what: `${listed(others)} ${others.length === 1 ? "goes" : "go"} on.`, how: "" });
  return {
    title: action === "reboot" ? `Start ${label} anew?` : `Shut ${label} down?`,
    effects,
    safe: "Leave it on",
    go: action === "reboot" ? `Start ${label} anew` : `Shut ${label} down`,
    tone: "danger-fill",
  };
}
