// @ts-check
// What a card of a Spark gets when its hardware is known: how it answers, its badges, its menu, its numbers.

import { keyed, part, say, sayOrHide, setPill, show } from "../../dom.js";
import { ago } from "../../format.js";
import { answeringPill, badgeWord, heardOf } from "./looks.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types.js").HostView} HostView */
/** @typedef {import("../../card-lines.js").Action} Action */

/** @param {HTMLElement} card @param {HostView} host @param {View} view */
export function dress(card, host, view) {
  const { state, now } = view;
  const heard = heardOf(state.known.hardware, host.name, now);
  const { hardware, age, stale } = heard;
  const live = state.link === "live";
  const pill = live ? answeringPill(hardware) : null;
  if (pill && !(stale && pill.tone !== "bad")) setPill(part(card, "pill"), pill);
  else if (live && hardware && stale && host.state === "online") setPill(part(card, "pill"), { tone: "warn", icon: "clock", word: "Not seen lately" });
  part(card, "menu").menu = { name: host.label, actions: menuOf(hardware, live) };
  const names = hardware ? [hardware.hostname, hardware.address].filter(Boolean) : [];
  if (hardware && age !== null) say(part(card, "seen"), [...names, `read ${ago(now - age * 1000, now)}`].join(" · "));
  badges(card, hardware);
  const known = hardware?.memory != null;
  if (known) {
    show(part(card, "memory"), false);
    const target = state.health?.targets.find((each) => each.name === host.name);
    sayOrHide(part(card, "detail"), target?.maintenance ? "Under maintenance: nobody is told of changes." : target?.flapping ? "It comes and goes." : null);
  }
  show(part(card, "disk"), !known && !part(card, "disk").hidden);
  const box = part(card, "hardware");
  show(box, hardware !== null || heard.problem !== "");
  // What may be pressed stays in colour; only the numbers are of the past.
  const past = stale || !live || host.state === "unreachable";
  if (known) card.firstElementChild?.removeAttribute("data-old");
  for (const name of ["use", "gauges", "facts"]) part(box, name).toggleAttribute("data-old", past);
  box.heard = { heard, host, view };
}

/** @param {HTMLElement} card @param {import("../../types-health.js").Hardware|null} hardware */
function badges(card, hardware) {
  const heading = /** @type {HTMLElement} */ (card.querySelector("h3"));
  let box = heading.querySelector(".badges");
  if (!box) {
    box = document.createElement("span");
    box.className = "badges";
    heading.append(box);
  }
  keyed(box, hardware?.badges ?? [], (badge) => badge.interface, () => document.createElement("span"), (element, badge) => {
    setPill(element, { tone: "line", icon: "shield", word: badgeWord(badge) });
  });
}

/** @param {import("../../types-health.js").Hardware|null} hardware @param {boolean} live @returns {Action[]} */
function menuOf(hardware, live) {
  if (!hardware) return [{ wish: "open-guide", label: "SSH key and connection test", icon: "key", detail: {} }];
  const { name, label, wake_address: address, can_reboot: reboot, can_shut_down: off, answering } = hardware;
  /** @type {Action[]} */
  const actions = [];
  if (address) actions.push({ wish: "copy-text", label: "Copy network (MAC) address", icon: "copy", detail: { text: address.mac } });
  if (live && reboot) actions.push({ wish: "reboot-spark", label: "Start anew…", icon: "restart", detail: { name, label, action: "reboot" }, danger: true });
  if (live && off) actions.push({ wish: "shut-down-spark", label: "Shut down…", icon: "power", detail: { name, label, action: "shutdown" }, danger: true });
  actions.push({ wish: "open-guide", label: "SSH key and connection test", icon: "key", detail: {} });
  if (!off && !reboot && answering === "well") actions.push({ wish: "open-runbook", label: "Turning it off from here", icon: "info", detail: { anchor: "turn-a-spark-off-from-here" } });
  return actions;
}
