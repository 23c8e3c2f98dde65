// @ts-check
// Puts the page together: what the server says goes into the store, what readers want goes to the acts.

import { Acting } from "./acts/acting.js";
import { files } from "./acts/files.js";
import { Knowing } from "./acts/knowing.js";
import { launcher } from "./acts/launcher.js";
import { recipes } from "./acts/recipes.js";
import { leaseNews, reserving } from "./acts/reserving.js";
import { settings } from "./acts/settings.js";
import { Staying } from "./acts/staying.js";
import { swapping } from "./acts/swapping.js";
import { endCapture, refreshMenu } from "./api.js";
import { dismissals, keepDismissal } from "./dismissed.js";
import { show } from "./dom.js";
import { copyText } from "./elements/copy-field.js";
import "./elements/all.js";
import { signOut } from "./entrance.js";
import { duration } from "./format.js";
import { Late } from "./late.js";
import { LiveLine } from "./live.js";
import { modelName } from "./menu.js";
import { Store } from "./store.js";
import { TABS } from "./tabs.js";
import { judge } from "./verdict.js";

/** @typedef {import("./types.js").State} State */

const VIEWS = "tab-bar, overall-status, top-tools, lock-banner, page-notices, failure-card, hero-card, swap-panel, connect-card, spark-list, update-banner, model-grid, swap-history";

const store = new Store();
const page = new Acting(store);
const line = new LiveLine(store);
const staying = new Staying(page);
const knowing = new Knowing(page);
const late = new Late(page, knowing, listen, renderSoon);
const views = /** @type {any[]} */ ([...document.querySelectorAll(VIEWS)]);
const grid = /** @type {import("./elements/model-grid.js").ModelGrid} */ (document.querySelector("model-grid"));
const home = /** @type {HTMLElement} */ (document.getElementById("home"));
const services = /** @type {HTMLElement} */ (document.getElementById("services"));
const hero = /** @type {HTMLElement} */ (document.querySelector("hero-card"));

/** Swaps and downloads that were asked for in this page: their end is worth a word. @type {Set<string>} */
const mine = new Set();
/** Repositories that were downloaded from here and may need to be set up now. @type {Set<string>} */
const arrived = new Set();

function render() {
  const { state } = store;
  const now = Date.now();
  const { tab } = state;
  const view = { state, verdict: judge(state, now), now, tab };
  for (const element of [...views, ...late.views]) element.view = view;
  const configured = state.menu === null || state.menu.hosts.length > 0;
  show(/** @type {HTMLElement} */ (document.getElementById("ribbon")), state.demo);
  show(/** @type {HTMLElement} */ (document.querySelector("first-run")), !configured);
  show(home, configured && state.heardAt > 0 && tab === "home");
  show(services, tab === "services");
  show(hero, !state.swaps?.current);
  page.main.toggleAttribute("data-stale", state.link === "lost");
  document.title = titleOf(view);
}

/** @param {{state: State, verdict: import("./types.js").Verdict}} view */
function titleOf({ state, verdict }) {
  const current = state.swaps?.current;
  const what = state.link === "live" && current ? `${verdict.overall.title}: ${current.model_name}` : verdict.overall.title;
  const tab = state.tab === "home" ? "" : `${TABS.find(({ name }) => name === state.tab)?.label} · `;
  return `${tab}${what} · spark-control`;
}

/** @param {import("./acts/acting.js").Wishes} acts */
function listen(acts) {
  for (const [type, act] of Object.entries(acts)) {
    document.addEventListener(type, (event) => event instanceof CustomEvent && act(event.detail));
  }
}

let due = false;
function renderSoon() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    late.tick(Date.now());
    render();
    setUpArrivals();
  });
}

/** A repository that nobody knew was downloaded from here: its form opens, filled in, unless the reader is busy. */
function setUpArrivals() {
  if (arrived.size === 0 || document.querySelector("dialog[open]")) return;
  const model = store.state.menu?.models.find((each) => arrived.has(each.repo) && each.state !== "downloading" && each.state !== "incomplete");
  if (!model) return;
  arrived.delete(model.repo);
  if (model.state === "needs_setup") wishes["open-setup"]({ key: model.key });
}

async function lookAgain() {
  grid.looking = true;
  const menu = await page.attempt(refreshMenu);
  grid.looking = false;
  if (!menu) return;
  page.say("menu", menu);
  page.toasts.add("ok", "The disks were looked at");
}

/** @param {string} id */
function dismiss(id) {
  store.say({ type: "dismissed", data: [id] });
  keepDismissal(id);
  page.main.focus();
}

async function stopRecording() {
  if (!(await page.attempt(endCapture))) return;
  page.toasts.add("ok", "Nothing is recorded any more", "What was recorded is deleted.");
}

/** @param {string} text */
async function copy(text) {
  if (await copyText(text)) page.toasts.add("ok", "Copied", text.split("\n")[0]);
  else page.toasts.add("bad", "Could not copy", "The browser does not allow it. Select the text instead.");
}

/** A word about the end of what was asked for here. @param {string} type @param {any} outcome */
function told(type, outcome) {
  staying.told(type, outcome);
  leaseNews(page, type, outcome);
  knowing.told(type);
  late.told(type);
  if (type === "swap.complete" && mine.delete(outcome.swap_id)) {
    page.toasts.add("ok", `${modelName(outcome.model, store.state.menu)} is ready`, `It took ${duration(outcome.total_seconds)}.`);
  }
  if (type === "download.complete" && mine.delete(outcome.job_id)) {
    page.toasts.add("ok", `${outcome.repo.split("/").at(-1)} is there`, `It took ${duration(outcome.total_seconds)}.`);
    arrived.add(outcome.repo);
  }
}

/** @type {import("./acts/acting.js").Wishes} */
const wishes = {
  ...swapping(page, mine),
  ...files(page, mine),
  ...recipes(page),
  ...launcher(page),
  ...reserving(page),
  ...settings(page),
  "dismiss-failure": ({ id }) => dismiss(id),
  "look-again": lookAgain,
  "look-around": () => knowing.look(),
  "end-capture": stopRecording,
  "try-now": () => line.open(),
  "show-home": () => {
    location.hash = "home";
  },
  "reload-page": () => location.reload(),
  "sign-out": signOut,
  "copy-text": ({ text }) => copy(text),
};
listen(wishes);

store.say({ type: "dismissed", data: dismissals() });
store.addEventListener("change", renderSoon);
store.addEventListener("told", (event) => event instanceof CustomEvent && told(event.detail.type, event.detail.data));
setInterval(() => {
  line.tick();
  staying.tick(Date.now());
  knowing.tick(Date.now());
  late.tick(Date.now());
  render();
}, 1000);
addEventListener("hashchange", () => {
  const before = store.state.tab;
  store.say({ type: "tab", data: location.hash });
  if (before === store.state.tab) return;
  render();
  if (location.hash === "#models") document.getElementById("models")?.scrollIntoView();
  else scrollTo(0, 0);
  knowing.look();
  late.tick(Date.now());
});
store.say({ type: "tab", data: location.hash });
render();
staying.begin();
line.open();
