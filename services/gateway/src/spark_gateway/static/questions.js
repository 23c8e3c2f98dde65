// @ts-check
// The wording of confirm dialogs: what stops, for how long, what keeps working.

import { diskSize, duration, roughly } from "./format.js";
import { modelName, servingName } from "./menu.js";
import { isPastStop, secondsLeft } from "./phases.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {import("./elements/confirm-dialog.js").Question} Question */
/** @typedef {import("./elements/confirm-dialog.js").Effect} Effect */

/** @param {ModelView} model @param {State} state @returns {Effect[]} */
function loadEffects(model, state) {
  const known = typeof model.load_seconds === "number";
  const size = typeof model.size_bytes === "number" ? `${diskSize(model.size_bytes)} are read from disk.` : "";
  const both = model.mode === "cluster" ? "It runs on all Sparks together." : "";
  const chat = servingName(state.menu) || state.swaps?.current ? "No chat" : "Ready";
  return [
    known
      ? { kind: "wait", icon: "clock", what: chat === "Ready" ? `Ready in about ${duration(model.load_seconds ?? 0)}.` : `No chat for about ${duration(model.load_seconds ?? 0)}.`, how: "Apps are told to try again." }
      : { kind: "wait", icon: "clock", what: chat === "Ready" ? "Apps that chat wait until it is ready." : "No chat until it is ready.", how: "It was not loaded here yet, so no time is known." },
    { kind: "keep", icon: "ok", what: "Everything else on the Sparks keeps working.", how: `Only the chat model is exchanged. ${both}`.trim() },
    ...(size ? [/** @type {Effect} */ ({ kind: "keep", icon: "down", what: size, how: "Nothing on the disks is changed." })] : []),
  ];
}

/**
 * @param {ModelView} model
 * @param {State} state
 * @returns {Question}
 */
export function switchQuestion(model, state) {
  const current = state.swaps?.current;
  if (current) {
    const waiting = state.swaps?.queue.length ?? 0;
    return {
      title: `Queue a swap to ${model.name}?`,
      effects: [
        { kind: "keep", icon: "ok", what: `The swap to ${current.model_name} goes on.`, how: waiting > 0 ? `${waiting} more are waiting before this one.` : "This one starts when it is done." },
        { kind: "stop", icon: "stop", what: `${current.model_name} stops then.`, how: "Answers that are being written get time to finish." },
        ...loadEffects(model, state),
      ],
      safe: "Not now",
      go: "Queue the swap",
      tone: "primary",
    };
  }
  const serving = servingName(state.menu);
  const back = state.menu?.models.find((each) => each.loaded);
  /** @type {Effect[]} */
  const stops = serving
    ? [{ kind: "stop", icon: "stop", what: `${serving} stops.`, how: "Answers that are being written get time to finish first." }]
    : [];
  return {
    title: serving ? `Switch to ${model.name}?` : `Load ${model.name}?`,
    effects: [...stops, ...loadEffects(model, state)],
    choice: serving && back
      ? {
          label: `Bring ${serving} back if it fails`,
          help: typeof back.load_seconds === "number" ? `Recommended. Takes about ${duration(back.load_seconds)}.` : "Recommended.",
          checked: true,
        }
      : undefined,
    safe: serving ? `Keep ${serving}` : "Not now",
    go: serving ? "Switch now" : "Load it now",
    tone: "primary",
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
  /** @type {Effect[]} */
  let effects;
  if (swap.phase === "queued") {
    effects = [{ kind: "keep", icon: "ok", what: "Nothing was stopped.", how: "It leaves the queue." }];
  } else if (!isPastStop(swap.phase)) {
    effects = [{ kind: "keep", icon: "ok", what: previous ? `${previous} keeps serving.` : "Nothing was stopped.", how: wait }];
  } else {
    effects = [
      { kind: "stop", icon: "stop", what: previous ? `${previous} is already stopped.` : `${swap.model_name} does not load.`, how: "Unless it can be brought back, no model is loaded afterwards." },
      { kind: "wait", icon: "clock", what: "No chat until a model is loaded again.", how: wait },
      { kind: "keep", icon: "ok", what: "Everything else on the Sparks keeps working." },
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
