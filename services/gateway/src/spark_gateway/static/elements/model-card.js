// @ts-check
// One model of the menu: what it can do, where it lies, and the button that loads it.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../dom.js";
import { duration } from "../format.js";
import { capabilityWords, cardState, copyWord } from "../menu.js";

/** @typedef {import("../types.js").ModelView} ModelView */
/** @typedef {import("../types.js").View} View */

const REPO = /^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/;

export class ModelCard extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-model"));
    part(this, "go").addEventListener("click", () => {
      const { queued, key } = this.dataset;
      if (queued) wish(this, "cancel-swap", { id: queued });
      else wish(this, "switch-model", { key });
    });
  }

  /** @param {{model: ModelView, view: View}} card */
  set model({ model, view }) {
    const { state, verdict } = view;
    const menu = /** @type {import("../types.js").Menu} */ (state.menu);
    const look = cardState(model, menu, state.swaps);
    const article = /** @type {HTMLElement} */ (this.firstElementChild);
    const name = part(this, "name");
    name.id = `model-${model.key.replace(/[^A-Za-z0-9_-]/g, "-")}`;
    article.setAttribute("aria-labelledby", name.id);
    article.classList.toggle("loaded", look.kind === "loaded");
    say(name, model.name);
    this.#repo(model.repo);
    setPill(part(this, "pill"), look.pill);
    const words = look.kind === "needs_setup" && model.capabilities.length === 0 ? [] : capabilityWords(model, menu.hosts.length);
    show(part(this, "caps"), words.length > 0);
    keyed(part(this, "caps"), words, (word) => word, () => {
      const pill = document.createElement("li");
      pill.className = "pill";
      return pill;
    }, say);
    sayOrHide(part(this, "text"), look.text);
    part(this, "text").classList.toggle("bad", look.kind === "host_down");
    this.#disk(model, menu.hosts);
    this.#progress(look.kind, state);
    this.#actions(model, look.kind, verdict, state);
  }

  /** @param {string} repo */
  #repo(repo) {
    const link = part(this, "repo");
    say(link, repo);
    if (REPO.test(repo)) link.href = `https://huggingface.co/${repo}`;
    else link.removeAttribute("href");
  }

  /** @param {ModelView} model @param {import("../types.js").HostView[]} hosts */
  #disk(model, hosts) {
    const load = model.state !== "ready" ? "" : typeof model.load_seconds === "number"
      ? `loads in about ${duration(model.load_seconds)}`
      : "not loaded here yet, so no time known";
    const facts = [...hosts.map((host) => ({ label: host.label, text: copyWord(model, host) })), { label: "", text: load }];
    keyed(part(this, "disk"), facts.filter((fact) => fact.text), (fact) => fact.label, () => {
      const span = document.createElement("span");
      span.append(document.createElement("b"), " ", document.createElement("span"));
      return span;
    }, (span, fact) => {
      say(span.firstElementChild, fact.label);
      say(span.lastElementChild, fact.text);
    });
  }

  /** @param {string} kind @param {View["state"]} state */
  #progress(kind, state) {
    const percent = state.swaps?.current?.percent;
    show(part(this, "bar"), kind === "loading" && typeof percent === "number");
    if (kind === "loading" && typeof percent === "number") part(this, "bar").value = Math.floor(percent);
  }

  /** @param {ModelView} model @param {string} kind @param {View["verdict"]} verdict @param {View["state"]} state */
  #actions(model, kind, verdict, state) {
    const go = part(this, "go");
    const queued = state.swaps?.queue.find((swap) => swap.model === model.key);
    const possible = kind === "ready" || kind === "queued";
    show(go, possible);
    go.classList.toggle("primary", kind === "ready" && verdict.may === "now");
    go.disabled = verdict.may === "no";
    this.dataset.queued = kind === "queued" ? queued?.id : "";
    say(go, kind === "queued" ? "Leave the queue…" : verdict.may === "queue" ? "Queue a swap" : "Switch to this");
    const percent = state.swaps?.current?.percent;
    const words = kind === "loaded" ? "Serving now"
      : kind === "loading" ? (typeof percent === "number" ? `${Math.floor(percent)}\u00a0% of the weights` : "On its way")
        : kind === "leaving" ? "Stops for the running swap"
          : possible && verdict.may === "no" ? verdict.reason : null;
    sayOrHide(part(this, "state"), words);
  }
}
