// @ts-check
// Now serving: what is loaded, is everything well, may I swap now.

import { cloned, part, say, sayOrHide, setBadge, setPill, show, wish } from "../dom.js";
import { ago, dayTime } from "../format.js";
import { capabilityWords, loadedModel, modelName, servingName } from "../menu.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../types.js").State} State */
/** @typedef {import("../types.js").RuntimeView} RuntimeView */
/** @typedef {{tone: import("../types.js").Tone, icon: string, word: string}} Pill */

/** @type {Record<RuntimeView["state"], {eyebrow: string, pill: Pill|null}>} */
const LOOKS = {
  serving: { eyebrow: "Now serving", pill: { tone: "ok", icon: "ok", word: "Ready" } },
  degraded: { eyebrow: "Now serving", pill: { tone: "bad", icon: "bad", word: "Answers badly" } },
  starting: { eyebrow: "Starting", pill: { tone: "now", icon: "busy", word: "Starting" } },
  idle: { eyebrow: "Now serving", pill: { tone: "idle", icon: "idle", word: "Idle" } },
  unreachable: { eyebrow: "Model server", pill: { tone: "bad", icon: "bad", word: "No answer" } },
  unknown: { eyebrow: "Model server", pill: { tone: "idle", icon: "busy", word: "Looking" } },
};

/** @type {{eyebrow: string, pill: Pill|null}} */
const SILENT = { eyebrow: "Model server", pill: { tone: "idle", icon: "clock", word: "No news" } };

/** Key of the model that served last, as far as the list of swaps goes back. @param {State} state */
function lastServed(state) {
  for (const swap of state.swaps?.recent ?? []) {
    if (swap.dry_run) continue;
    const key = swap.phase === "ready" ? swap.model : swap.serving ?? swap.previous;
    const model = state.menu?.models.find((each) => each.key === key);
    if (model && model.state === "ready") return model;
  }
  return null;
}

/** @param {State} state @param {RuntimeView} runtime */
function title(state, runtime) {
  const serving = servingName(state.menu);
  if (serving) return serving;
  if (runtime.state === "starting") return modelName(runtime.model, state.menu) || runtime.served_name || "A model";
  if (runtime.state === "unreachable") return "The model server does not answer";
  if (!state.menu) return "Not known right now";
  return runtime.state === "unknown" ? "Looking at the Sparks" : "No model is loaded";
}

export class HeroCard extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-hero"));
    part(this, "again").addEventListener("click", () => wish(this, "switch-model", { key: this.dataset.again }));
    part(this, "reload").addEventListener("click", () => wish(this, "switch-model", { key: this.dataset.loaded }));
  }

  /** @param {View} view */
  set view({ state, verdict, now }) {
    const runtime = state.menu?.runtime ?? /** @type {RuntimeView} */ ({ state: "unknown" });
    const serves = servingName(state.menu) !== null;
    const model = loadedModel(state.menu);
    const look = state.menu ? LOOKS[runtime.state] : SILENT;
    const stale = state.link !== "live";
    say(part(this, "eyebrow"), stale ? `As of ${ago(state.heardAt, now)}` : look.eyebrow);
    say(part(this, "name"), title(state, runtime));
    setPill(part(this, "pill"), stale ? { tone: "idle", icon: "clock", word: "Not up to date" } : look.pill);
    sayOrHide(part(this, "served"), serves ? runtime.served_name : null);
    sayOrHide(part(this, "where"), model?.mode === "cluster" ? "Both Sparks" : null);
    sayOrHide(part(this, "can"), model ? capabilityWords(model, 0).slice(1).join(", ") : null);
    sayOrHide(part(this, "since"), sinceText(state, now));
    for (const name of /** @type {const} */ (["well", "swap"])) {
      const line = verdict[name];
      setBadge(part(this, `${name}-badge`), line.tone, line.icon);
      say(part(this, `${name}-title`), line.title);
      say(part(this, `${name}-text`), line.text);
    }
    this.#actions(state, verdict, serves);
    show(part(this, "degraded"), runtime.state === "degraded");
    this.dataset.loaded = model?.key ?? "";
    say(part(this, "degraded-text"), [runtime.detail, runtime.canary].filter(Boolean).join(" ") || "The check question was answered with gibberish.");
    show(part(this, "reload"), model !== null);
    part(this, "reload").disabled = verdict.may === "no";
    part(this, "numbers").facts = { runtime, model, serves, now };
  }

  /** @param {State} state @param {View["verdict"]} verdict @param {boolean} serves */
  #actions(state, verdict, serves) {
    const last = serves || state.menu?.runtime.state !== "idle" ? null : lastServed(state);
    show(part(this, "again"), last !== null && verdict.may !== "no");
    this.dataset.again = last?.key ?? "";
    if (last) say(part(this, "again-word"), `Load ${last.name} again`);
    const link = part(this, "switch");
    show(link, verdict.may !== "no");
    link.classList.toggle("primary", last === null);
    say(part(this, "switch-word"), serves ? "Switch model" : "Pick a model");
  }
}

/** @param {State} state @param {number} now */
function sinceText(state, now) {
  const runtime = state.menu?.runtime;
  if (!runtime) return null;
  if (runtime.state === "idle") {
    const since = runtime.since ? `Since ${dayTime(runtime.since, now)}. ` : "";
    return runtime.detail ?? `${since}Apps that chat are told so.`;
  }
  return runtime.state === "degraded" ? null : runtime.detail ?? null;
}
