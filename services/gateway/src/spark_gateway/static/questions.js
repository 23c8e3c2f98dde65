// @ts-check
// The wording of the questions about swaps: what stops, for how long, what keeps working, whether it fits.

import { count, diskSize, duration, memory, roughly } from "./format.js";
import { modelName, servingName } from "./menu.js";
import { isPastStop, secondsLeft } from "./phases.js";
import { isUpdating } from "./updating.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {import("./types-control.js").SwapPlan} SwapPlan */
/** @typedef {import("./elements/confirm-dialog.js").Question} Question */
/** @typedef {import("./elements/confirm-dialog.js").Effect} Effect */

/** How long the swapper lets answers go on when nobody said. */
const DRAIN_SECONDS = 30;

/** @param {"stop"|"wait"|"keep"} kind @param {string} icon @param {string} what @param {string} [how] @returns {Effect} */
const effect = (kind, icon, what, how = "") => ({ kind, icon, what, how });

/** @param {ModelView} model @param {State} state @param {SwapPlan|null} plan @returns {Effect} */
function waitEffect(model, state, plan) {
  const away = Boolean(servingName(state.menu) || state.swaps?.current);
  const seconds = plan ? plan.eta_seconds : model.load_seconds;
  if (typeof seconds !== "number") {
    return effect("wait", "clock", away ? "No chat until it is ready." : "Apps that chat wait until it is ready.", "It was not loaded here yet, so no time is known.");
  }
  return effect("wait", "clock", `${away ? "No chat for" : "Ready in"} about ${duration(seconds)}.`, "Apps are told to try again.");
}

/** @param {SwapPlan|null} plan @returns {string} */
function drainWords(plan) {
  const patience = duration(plan?.drain_seconds ?? DRAIN_SECONDS);
  if (!plan || typeof plan.in_flight !== "number") return "Answers that are being written get time to finish first.";
  if (plan.in_flight === 0) return "No answer is being written now.";
  const answers = plan.in_flight === 1 ? "1 answer is" : `${count(plan.in_flight)} answers are`;
  return `${answers} being written now; ${plan.in_flight === 1 ? "it gets" : "they get"} up to ${patience} to finish.`;
}

/** Whether it fits, Spark by Spark. @param {SwapPlan} plan @returns {Effect[]} */
function fitEffects(plan) {
  return plan.nodes.filter((node) => typeof node.needed_bytes === "number").map((node) => {
    const needed = memory(node.needed_bytes ?? 0);
    const claim = typeof node.total_bytes === "number" ? `${needed} of ${memory(node.total_bytes)}\u00a0GB on ${node.label}` : `${needed}\u00a0GB on ${node.label}`;
    const left = node.headroom_bytes;
    if (node.verdict === "bad") {
      const short = typeof left === "number" && left < 0 ? `, ${memory(-left)}\u00a0GB are missing` : "";
      return effect("stop", "bad", `It does not fit ${node.label}:`, `${claim}${short}.`);
    }
    const free = typeof left === "number" ? `, ${memory(left)}\u00a0GB stay free` : "";
    return node.verdict === "good"
      ? effect("keep", "ok", plan.nodes.length > 1 ? `It fits ${node.label}:` : "It fits:", `${claim}${free}.`)
      : effect("wait", "info", `Not known whether it fits ${node.label}:`, `${claim}${free}.`);
  });
}

/** @param {ModelView} model @param {SwapPlan|null} plan @returns {Effect[]} */
function restEffects(model, plan) {
  const both = model.mode === "cluster" ? "It runs on all Sparks together." : "";
  const size = !plan && typeof model.size_bytes === "number" ? [effect("keep", "down", `${diskSize(model.size_bytes)} are read from disk.`, "Nothing on the disks is changed.")] : [];
  return [
    effect("keep", "ok", "Everything else on the Sparks keeps working.", `Only the chat model is exchanged. ${both}`.trim()),
    ...(plan ? fitEffects(plan) : size),
    ...(plan?.blockers ?? []).map((cause) => effect("stop", "bad", cause.sentence, cause.action)),
    ...(plan?.doubts ?? []).map((doubt) => effect("wait", "info", "Not checked:", doubt)),
  ];
}

/** What a swap waits for, and what it stops then. @param {State} state @param {string|null} serving @returns {Effect[]} */
function queueEffects(state, serving) {
  const current = state.swaps?.current;
  const waiting = state.swaps?.queue.length ?? 0;
  const turn = waiting > 0 ? `${waiting} more ${waiting === 1 ? "is" : "are"} waiting before this one.` : "This one starts when it is done.";
  return [
    effect("keep", "ok", current ? `The swap to ${current.model_name} goes on.` : "The update of the model launcher goes on.", turn),
    ...(serving ? [effect("stop", "stop", `${serving} stops then.`, "Answers that are being written get time to finish.")] : []),
  ];
}

/**
 * @param {ModelView} model
 * @param {State} state
 * @param {SwapPlan|null} [plan]  Once the swapper has said it; until then what the menu knows.
 * @returns {Question}
 */
export function switchQuestion(model, state, plan = null) {
  const current = state.swaps?.current;
  const serving = current ? current.model_name : plan?.stops ?? servingName(state.menu);
  const back = state.menu?.models.find((each) => each.loaded);
  const backSeconds = plan?.back_seconds ?? back?.load_seconds;
  const queue = Boolean(current) || isUpdating(state);
  const first = queue ? queueEffects(state, serving) : serving ? [effect("stop", "stop", `${serving} stops.`, drainWords(plan))] : [];
  const patience = duration(plan?.drain_seconds ?? DRAIN_SECONDS);
  return {
    title: queue ? `Queue a swap to ${model.name}?` : serving ? `Switch to ${model.name}?` : `Load ${model.name}?`,
    effects: [...first, waitEffect(model, state, plan), ...restEffects(model, plan)],
    choices: [
      ...(serving && (back || current) ? [{
        name: "rollback",
        label: `Bring ${serving} back if it fails`,
        help: typeof backSeconds === "number" && !current ? `Recommended. Takes about ${duration(backSeconds)}.` : "Recommended.",
        checked: true,
      }] : []),
      ...(serving ? [{
        name: "force",
        label: `Cut off answers that are not finished after ${patience}`,
        help: "Without it the swap ends there, and nothing is touched.",
        checked: false,
      }] : []),
    ],
    more: {
      summary: "More",
      choices: [{
        name: "drop_caches",
        label: "Empty the page cache first",
        help: "Frees memory that holds copies of files. Loads read from disk again for a while. Try it when memory is just short.",
        checked: false,
      }],
      command: plan?.launch_cmd ?? "",
    },
    safe: serving && !queue ? `Keep ${serving}` : "Not now",
    go: queue ? "Queue the swap" : serving ? "Switch now" : "Load it now",
    tone: "primary",
    blocked: plan && plan.blockers.length > 0 && !queue ? "Not possible as it stands" : "",
  };
}

/**
 * @param {SwapView} swap
 * @param {State} state
 * @param {number} now
 * @returns {Question}
 */
export function cancelQuestion(swap, state, now) {
  const previous = modelName(swap.previous, state.menu);
  const left = secondsLeft(swap, state.etaAt, now);
  const wait = left !== null && left > 0 ? `Letting this swap finish takes about ${roughly(left)}.` : "";
  const old = state.menu?.models.find((each) => each.key === swap.previous);
  const again = typeof old?.load_seconds === "number" ? `Loading it again takes about ${duration(old.load_seconds)}.` : "You can load it again.";
  /** @type {Effect[]} */
  let effects;
  if (swap.phase === "queued") {
    effects = [effect("keep", "ok", "Nothing was stopped.", "It leaves the queue.")];
  } else if (!isPastStop(swap.phase)) {
    effects = [effect("keep", "ok", previous ? `${previous} keeps serving.` : "Nothing was stopped.", wait)];
  } else {
    effects = [
      previous
        ? effect("stop", "stop", `${previous} is already stopped.`, `It does not come back by itself: no model is loaded afterwards. ${again}`)
        : effect("stop", "stop", `${swap.model_name} does not load.`, "No model is loaded afterwards."),
      effect("wait", "clock", "No chat until a model is loaded again.", wait),
      effect("keep", "ok", "Everything else on the Sparks keeps working."),
    ];
  }
  const queued = swap.phase === "queued";
  return {
    title: queued ? `Take ${swap.model_name} out of the queue?` : `Cancel the swap to ${swap.model_name}?`,
    effects,
    safe: queued ? "Keep it" : "Let it finish",
    go: queued ? "Leave the queue" : "Cancel the swap",
    tone: "danger-fill",
  };
}
