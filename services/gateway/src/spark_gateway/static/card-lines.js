// @ts-check
// The lines of a card below its name: does it fit, how did the last test end, and what can be pressed.

import { downloadOf } from "./downloading.js";
import { ago, diskSize, memory } from "./format.js";

/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").Menu} Menu */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./cards.js").CardState} CardState */
/** @typedef {{wish: string, label: string, icon?: string, danger?: boolean, detail?: any}} Action */

const GAP = "\u00a0";

/**
 * @param {ModelView} model
 * @param {Menu} menu
 * @returns {{tone: "ok"|"warn"|"idle", icon: string, words: string, numbers: string, needed: number, total: number}|null}  numbers in GiB
 */
export function fitLine(model, menu) {
  const { fit } = model;
  if (!fit) return null;
  const on = fitPlace(model, menu);
  const needed = fit.needed_bytes / 2 ** 30;
  const total = fit.total_bytes / 2 ** 30;
  const claim = `${memory(fit.needed_bytes)}${GAP}GB`;
  if (fit.verdict === "bad") {
    const short = fit.left_bytes < 0 ? `${memory(-fit.left_bytes)}${GAP}GB short` : `${claim} needed`;
    return { tone: "warn", icon: "warn", words: `Too big for ${on}`, numbers: short, needed, total };
  }
  const numbers = `${memory(fit.needed_bytes)} of ${memory(fit.total_bytes)}${GAP}GB`; // what really stays free is said by the plan
  if (fit.verdict === "good") return { tone: "ok", icon: "ok", words: `Fits ${on}`, numbers, needed, total };
  return { tone: "idle", icon: "idle", words: "Not known whether it fits", numbers, needed, total };
}

/** @param {ModelView} model @param {Menu} menu */
function fitPlace(model, menu) {
  if (model.mode === "cluster") return menu.hosts.length > 2 ? "all Sparks" : "both Sparks";
  const holders = model.copies.filter((copy) => copy.state === "ready").map((copy) => copy.host);
  const first = menu.hosts.find((host) => holders.includes(host.name)) ?? menu.hosts[0];
  return first?.label ?? "a Spark";
}

/** @param {ModelView} model @param {number} now milliseconds @returns {{tone: "ok"|"bad"|"idle", icon: string, text: string}|null} */
export function testLine(model, now) {
  const { test } = model;
  if (!test || (model.loaded && test.verdict === "good")) return null;
  const when = ago(test.at, now);
  const said = test.sentence.replace(/[.\s]*$/, ".");
  if (test.kind === "load") {
    return test.verdict === "bad" ? { tone: "bad", icon: "bad", text: `Did not start ${when}: ${said}` } : null;
  }
  if (test.verdict === "good") return { tone: "ok", icon: "ok", text: `Test passed ${when}: ${said} A real load can still fail.` };
  if (test.verdict === "bad") return { tone: "bad", icon: "bad", text: `Test failed ${when}: ${said}` };
  return { tone: "idle", icon: "idle", text: `Not fully tested ${when}: ${said}` };
}

/**
 * The one button that leads, if any.
 * @param {ModelView} model @param {CardState} look @param {View} view
 * @returns {(Action & {primary: boolean, swaps: boolean})|null}  `swaps`: only while one may swap
 */
export function leadingAction(model, look, { state, verdict }) {
  const now = verdict.may === "now";
  /** @param {string} wish @param {string} label @param {any} [more] */
  const plain = (wish, label, more = {}) => ({ wish, label, primary: true, swaps: false, detail: { key: model.key }, ...more });
  const queued = state.swaps?.queue.find((swap) => swap.model === model.key);
  switch (look.kind) {
    case "queued":
      return plain("cancel-swap", "Leave the queue…", { primary: false, swaps: true, detail: { id: queued?.id } });
    case "degraded":
      return plain("switch-model", "Load it again…", { swaps: true, primary: now });
    case "ready":
      if (testFailed(model)) return plain("open-advanced", "Fix in Advanced…", { primary: now });
      return plain("switch-model", verdict.may === "queue" ? "Queue a swap…" : "Switch to this…", { swaps: true, primary: now });
    case "too_big":
      return plain("open-advanced", "See how to fit it…", { primary: false });
    case "needs_setup":
      return plain("open-setup", "Set it up…");
    case "quarantined":
      return plain("clear-quarantine", "Let it load again…", { primary: false });
    case "incomplete":
      return partialHosts(model).length > 0
        ? plain("resume-download", "Resume download", { icon: "down", detail: { repo: model.repo, hosts: partialHosts(model) } })
        : leading(copyAction(model, state.menu));
    case "downloading": {
      const running = downloadOf(model, state.downloads);
      return running ? plain("cancel-download", "Cancel download…", { primary: false, detail: { id: running.id } }) : null;
    }
    case "broken": {
      const broken = model.copies.filter((copy) => copy.state === "broken");
      const hosts = broken.map((copy) => copy.host);
      return plain("delete-model", `Delete ${diskSize(sizeOf(broken))}…`, { primary: false, detail: { key: model.key, hosts } });
    }
    case "missing":
      return plain("open-download", "Download…", { icon: "down", detail: { repo: model.repo } });
    default:
      return null;
  }
}

/** @param {ModelView} model */
function testFailed(model) {
  return model.test?.kind === "test" && model.test.verdict === "bad";
}

/** @param {ModelView["copies"]} copies */
function sizeOf(copies) {
  return copies.reduce((sum, copy) => sum + copy.size_bytes, 0);
}

/** @param {ModelView} model */
function partialHosts(model) {
  return model.copies.filter((copy) => copy.state === "incomplete" || copy.state === "no_snapshot").map((copy) => copy.host);
}

/** @param {Action|null} action */
function leading(action) {
  return action && { ...action, primary: true, swaps: false };
}

/** Download to the Sparks that do not have it. @param {ModelView} model @param {Menu|null} menu @returns {Action|null} */
function copyAction(model, menu) {
  const without = (menu?.hosts ?? []).filter((host) => !model.copies.some((copy) => copy.host === host.name && copy.state === "ready"));
  if (without.length === 0) return null;
  const label = without.length === 1 ? `Download to ${without[0].label}…` : "Download…";
  return { wish: "open-download", label, icon: "down", detail: { repo: model.repo, hosts: without.map((host) => host.name) } };
}

/** Whether it has a recipe that can be tested and changed. @param {ModelView} model */
export function hasRecipe(model) {
  return Boolean(model.source);
}

/**
 * What stands in the menu of the card: everything that is pressed rarely.
 * @param {ModelView} model @param {CardState} look @param {View} view
 * @returns {Action[]}
 */
export function lesserActions(model, look, { state, verdict }) {
  const { key, repo } = model;
  const whole = model.copies.some((copy) => copy.state === "ready");
  const busy = ["loaded", "degraded", "leaving", "loading", "queued", "downloading"].includes(look.kind);
  const swap = (look.kind === "ready" && testFailed(model)) || look.kind === "too_big";
  const size = sizeOf(model.copies);
  const copy = model.local_path || !whole || ["downloading", "incomplete", "broken"].includes(look.kind) ? null : copyAction(model, state.menu);
  /** @type {(Action|null|false)[]} */
  const all = [
    verdict.over !== undefined && ["ready", "too_big", "degraded"].includes(look.kind) && { wish: "switch-model", label: "Switch anyway…", icon: "swap", danger: true, detail: { key, over: verdict.over } },
    swap && verdict.may !== "no" && { wish: "switch-model", label: verdict.may === "queue" ? "Queue a swap…" : "Switch to this…", icon: "swap", detail: { key } },
    copy,
    look.kind === "broken" && { wish: "open-download", label: "Download it again…", icon: "down", detail: { repo } },
    !model.local_path && !busy && look.kind !== "broken" && size > 0 && { wish: "delete-model", label: `Delete ${diskSize(size)}…`, icon: "trash", danger: true, detail: { key } },
    model.source === "own" && !busy && { wish: "remove-recipe", label: model.local_path ? "Take it off the list…" : "Remove the recipe…", icon: "x", danger: true, detail: { key } },
  ];
  return all.filter((action) => action !== null && action !== false);
}
