// @ts-check
// Puts the page together: what the server says goes into the store, what readers want goes to the server.

import { cancelSwap, newKey, Refusal, refreshMenu, startSwap } from "./api.js";
import { show } from "./dom.js";
import { copyText } from "./elements/copy-field.js";
import "./elements/all.js";
import { duration } from "./format.js";
import { LiveLine, replay } from "./live.js";
import { modelName } from "./menu.js";
import { cancelQuestion, switchQuestion } from "./questions.js";
import { Store } from "./store.js";
import { judge } from "./verdict.js";

/** @typedef {import("./types.js").State} State */

const DISMISSED = "spark-control.dismissed";
const VIEWS = "overall-status, page-notices, failure-card, hero-card, swap-panel, connect-card, spark-list, model-grid, swap-history";

const store = new Store();
const line = new LiveLine(store);
const views = /** @type {any[]} */ ([...document.querySelectorAll(VIEWS)]);
const dialog = /** @type {import("./elements/confirm-dialog.js").ConfirmDialog} */ (document.querySelector("confirm-dialog"));
const toasts = /** @type {import("./elements/toast-list.js").ToastList} */ (document.querySelector("toast-list"));
const grid = /** @type {import("./elements/model-grid.js").ModelGrid} */ (document.querySelector("model-grid"));
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const home = /** @type {HTMLElement} */ (document.getElementById("home"));
const hero = /** @type {HTMLElement} */ (document.querySelector("hero-card"));

/** Swaps that were asked for in this page: their end is worth a word. @type {Set<string>} */
const mine = new Set();

function render() {
  const { state } = store;
  const now = Date.now();
  const view = { state, verdict: judge(state, now), now };
  for (const element of views) element.view = view;
  const configured = state.menu === null || state.menu.hosts.length > 0;
  show(/** @type {HTMLElement} */ (document.getElementById("ribbon")), state.demo);
  show(/** @type {HTMLElement} */ (document.querySelector("first-run")), !configured);
  show(home, configured && state.heardAt > 0);
  show(hero, !state.swaps?.current);
  main.toggleAttribute("data-stale", state.link === "lost");
  document.title = titleOf(view);
}

/** @param {{state: State, verdict: import("./types.js").Verdict}} view */
function titleOf({ state, verdict }) {
  const current = state.swaps?.current;
  const what = state.link === "live" && current ? `${verdict.overall.title}: ${current.model_name}` : verdict.overall.title;
  return `${what} · spark-control`;
}

let due = false;
function renderSoon() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    render();
  });
}

/** @param {unknown} error */
function refused(error) {
  if (error instanceof Refusal) toasts.add("bad", error.title, error.message);
  else throw error;
}

/** @param {string} key */
async function askToSwitch(key) {
  const { state } = store;
  const model = state.menu?.models.find((each) => each.key === key);
  if (!model) return;
  const idempotency = newKey(); // made here: however often the button is pressed, it is one swap
  const queue = Boolean(state.swaps?.current);
  const { yes, choice } = await dialog.ask(switchQuestion(model, state));
  if (!yes) return;
  try {
    const view = await startSwap({ model: key, rollback: choice, when_busy: queue ? "queue" : "reject" }, idempotency);
    mine.add(view.id);
    store.say({ type: "swap.view", data: view, at: Date.now() });
    if (queue) toasts.add("ok", `${model.name} is queued`, "It starts when the running swap is done.");
    else toTop();
  } catch (error) {
    refused(error);
  }
}

/** To where the swap panel stands; the button that was pressed is gone by now. */
function toTop() {
  main.focus({ preventScroll: true });
  scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

/** @param {string} id */
async function askToCancel(id) {
  const swap = [store.state.swaps?.current, ...(store.state.swaps?.queue ?? [])].find((each) => each?.id === id);
  if (!swap) return;
  const { yes } = await dialog.ask(cancelQuestion(swap, store.state, Date.now()));
  if (!yes) return;
  try {
    store.say({ type: "swap.view", data: await cancelSwap(id), at: Date.now() });
    if (swap.phase === "queued") toasts.add("ok", "Left the queue", swap.model_name);
    else toasts.add("ok", "Cancelling", `The swap to ${swap.model_name} ends at its next step.`);
  } catch (error) {
    refused(error);
  }
}

async function lookAgain() {
  grid.looking = true;
  try {
    store.say({ type: "menu", data: await refreshMenu(), at: Date.now() });
    toasts.add("ok", "The disks were looked at");
  } catch (error) {
    refused(error);
  } finally {
    grid.looking = false;
  }
}

/** @param {string} id */
async function readLog(id) {
  if (store.state.log?.id === id) return;
  await replay(id, (type, data) => store.say({ type, data, at: Date.now() }));
  const card = /** @type {HTMLElement} */ (document.querySelector("failure-card"));
  card.dataset.read = id;
  render();
}

/** @param {string} id */
function dismiss(id) {
  store.say({ type: "dismissed", data: [id] });
  try {
    localStorage.setItem(DISMISSED, id);
  } catch {
    // Storage may be forbidden; then it comes back with the next load.
  }
  main.focus();
}

/** @param {string} text */
async function copy(text) {
  if (await copyText(text)) toasts.add("ok", "Copied", text.split("\n")[0]);
  else toasts.add("bad", "Could not copy", "The browser does not allow it. Select the text instead.");
}

/** A word about the end of swaps that were asked for here. @param {string} type @param {any} outcome */
function told(type, outcome) {
  if (type !== "swap.complete" || !mine.delete(outcome.swap_id)) return;
  toasts.add("ok", `${modelName(outcome.model, store.state.menu)} is ready`, `It took ${duration(outcome.total_seconds)}.`);
}

/** @type {Record<string, (detail: any) => void>} */
const wishes = {
  "switch-model": ({ key }) => askToSwitch(key),
  "cancel-swap": ({ id }) => askToCancel(id),
  "dismiss-failure": ({ id }) => dismiss(id),
  "read-log": ({ id }) => readLog(id),
  "look-again": lookAgain,
  "try-now": () => line.open(),
  "reload-page": () => location.reload(),
  "copy-text": ({ text }) => copy(text),
};
for (const [type, act] of Object.entries(wishes)) {
  document.addEventListener(type, (event) => event instanceof CustomEvent && act(event.detail));
}

try {
  store.say({ type: "dismissed", data: [localStorage.getItem(DISMISSED) ?? ""] });
} catch {
  // Storage may be forbidden; then nothing was put away.
}
store.addEventListener("change", renderSoon);
store.addEventListener("told", (event) => event instanceof CustomEvent && told(event.detail.type, event.detail.data));
setInterval(() => {
  line.tick();
  render();
}, 1000);
render();
line.open();
