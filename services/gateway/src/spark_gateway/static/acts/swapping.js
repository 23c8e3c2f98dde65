// @ts-check
// What a reader wants of swaps: start one, cancel one, read what one wrote.

import { downloadLog, updateLog } from "../api-models.js";
import { cancelSwap, newKey, planSwap, startSwap, swapLog } from "../api.js";
import { replay } from "../live.js";
import { overQuestion } from "../questions-lease.js";
import { cancelQuestion, switchQuestion } from "../questions.js";
import { isStillOf } from "../reduce-lease.js";
import { isUpdating } from "../updating.js";
import { changedHands } from "./reserving.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */

/**
 * @param {Acting} page
 * @param {Set<string>} mine  Swaps that were asked for in this page.
 * @returns {Wishes}
 */
export function swapping(page, mine) {
  return {
    "switch-model": ({ key, over }) => askToSwitch(page, key, mine, over),
    "cancel-swap": ({ id }) => askToCancel(page, id),
    "read-log": ({ id }) => readLog(page, id),
    "open-log": (wanted) => openLog(page, wanted),
  };
}

/**
 * @param {Acting} page @param {string} key @param {Set<string>} mine
 * @param {string} [over]  Whose reservation is passed over.
 */
async function askToSwitch(page, key, mine, over) {
  const model = page.model(key);
  if (!model) return;
  const idempotency = newKey(); // made here: however often the button is pressed, it is one swap
  const queue = Boolean(page.state.swaps?.current) || isUpdating(page.state);
  const before = page.state.swaps?.current ? "the running swap" : "the update";
  const question = (/** @type {import("../types-control.js").SwapPlan|null} */ plan) => {
    const plain = switchQuestion(model, page.state, plan);
    return over === undefined ? plain : overQuestion(plain, model, over, page.state, Date.now());
  };
  const asked = page.dialog.ask(question(null));
  // What the menu knows is asked about at once; what the swapper finds out is put in when it comes.
  page.attempt(() => planSwap(key), () => {}).then((plan) => plan && page.dialog.amend(question(plan), asked));
  const { yes, choices } = await asked;
  if (!yes) return;
  if (over !== undefined && !isStillOf(page.state, over)) {
    changedHands(page);
    return;
  }
  const more = Object.fromEntries(["force", "drop_caches"].filter((name) => choices[name]).map((name) => [name, true]));
  const view = await page.attempt(() => startSwap(
    { model: key, rollback: Boolean(choices.rollback), when_busy: queue ? "queue" : "reject", ...more },
    idempotency,
    over !== undefined,
  ));
  if (!view) return;
  mine.add(view.id);
  page.say("swap.view", view);
  if (queue) page.toasts.add("ok", `${model.name} is queued`, `It starts when ${before} is done.`);
  else toTop(page);
}

/** To where the swap panel stands; the button that was pressed is gone by now. @param {Acting} page */
function toTop(page) {
  page.main.focus({ preventScroll: true });
  scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

/** @param {Acting} page @param {string} id */
async function askToCancel(page, id) {
  const { swaps } = page.state;
  const swap = [swaps?.current, ...(swaps?.queue ?? [])].find((each) => each?.id === id);
  if (!swap) return;
  const { yes } = await page.dialog.ask(cancelQuestion(swap, page.state, Date.now()));
  const view = yes ? await page.attempt(() => cancelSwap(id)) : null;
  if (!view) return;
  page.say("swap.view", view);
  if (swap.phase === "queued") page.toasts.add("ok", "Left the queue", swap.model_name);
  else page.toasts.add("ok", "Cancelling", `The swap to ${swap.model_name} ends at its next step.`);
}

/** The log of the failure card: from its record, else from the events that are still kept. @param {Acting} page @param {string} id */
async function readLog(page, id) {
  if (page.state.log?.id === id) return;
  const card = /** @type {HTMLElement} */ (document.querySelector("failure-card"));
  const said = await page.attempt(() => swapLog(id), () => {});
  if (said && said.lines.length > 0) page.say("swap.log", { id, lines: said.lines });
  else await replay(id, (type, data) => page.say(type, data));
  card.dataset.read = id;
  page.store.dispatchEvent(new Event("change"));
}

/** The log from a swap's record, else from the events that are still kept. @param {string} id @returns {Promise<{lines: string[], cut: boolean}>} */
async function keptLog(id) {
  const said = await swapLog(id);
  if (said.lines.length > 0) return said;
  /** @type {string[]} */
  const lines = [];
  await replay(id, (_, data) => lines.push(...data.lines));
  return { lines, cut: false };
}

/** @param {Acting} page @param {{kind: "swap"|"download"|"update", id: string, name: string}} wanted */
async function openLog(page, { kind, id, name }) {
  const dialog = /** @type {import("../elements/log-dialog.js").LogDialog} */ (document.querySelector("log-dialog"));
  const swap = page.state.swaps?.recent.find((each) => each.id === id);
  const lead = kind === "swap" ? swap?.cause?.sentence ?? swap?.message ?? "" : "What its programs wrote.";
  dialog.begin(kind === "swap" ? `Log of the swap to ${name}` : `Log: ${name}`, lead, swap?.cause?.evidence ?? []);
  const read = async () => {
    if (kind === "swap") return keptLog(id);
    const log = await (kind === "download" ? downloadLog(id) : updateLog(id));
    return { lines: log.lines, cut: !log.complete };
  };
  const said = await page.attempt(read, (why) => dialog.fail(why.message));
  if (said) dialog.fill(id, said.lines, said.cut);
}
