// @ts-check
// One model of the menu: what it can do, how it stands, and what can be pressed.

import { hasRecipe, leadingAction, lesserActions } from "../card-lines.js";
import { cardState } from "../cards.js";
import { cloned, keyed, part, say, sayOrHide, setButton, setPill, show, wish } from "../dom.js";
import { capabilityWords } from "../menu.js";

/** @typedef {import("../types.js").ModelView} ModelView */
/** @typedef {import("../types.js").View} View */
/** @typedef {import("../cards.js").CardState} CardState */

const REPO = /^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/;

export class ModelCard extends HTMLElement {
  /** @type {any} */
  leads = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-model"));
    part(this, "go").addEventListener("click", () => this.leads && wish(this, this.leads.wish, this.leads.detail));
    part(this, "test").addEventListener("click", () => wish(this, "test-model", { key: this.dataset.model }));
    part(this, "advanced").addEventListener("click", () => wish(this, "open-advanced", { key: this.dataset.model }));
  }

  /** @param {{model: ModelView, view: View, testing: boolean}} card */
  set model({ model, view, testing }) {
    const menu = /** @type {import("../types.js").Menu} */ (view.state.menu);
    const look = cardState(model, menu, view.state.swaps, view.state.downloads);
    const article = /** @type {HTMLElement} */ (this.firstElementChild);
    const name = part(this, "name");
    name.id = `model-${model.key.replace(/[^A-Za-z0-9_-]/g, "-")}`;
    this.dataset.model = model.key;
    article.setAttribute("aria-labelledby", name.id);
    article.classList.toggle("loaded", look.kind === "loaded");
    say(name, model.name);
    this.#repo(model.local_path ?? model.repo);
    setPill(part(this, "pill"), look.pill);
    const words = look.kind === "needs_setup" && model.capabilities.length === 0 ? [] : capabilityWords(model, menu.hosts.length);
    show(part(this, "caps"), words.length > 0);
    keyed(part(this, "caps"), words, (word) => word, () => {
      const item = document.createElement("li");
      item.className = "pill";
      return item;
    }, say);
    sayOrHide(part(this, "text"), look.text);
    part(this, "text").classList.toggle("bad", ["host_down", "quarantined", "broken", "degraded"].includes(look.kind));
    part(this, "facts").facts = { model, look, view, testing };
    show(part(this, "bar"), typeof look.percent === "number");
    part(this, "bar").value = Math.floor(look.percent ?? 0);
    part(this, "bar").setAttribute("aria-label", look.kind === "loading" ? "Loading weights" : look.kind === "incomplete" ? "On disk" : "Download");
    this.#actions(model, look, view, testing);
  }

  /** @param {string} repo */
  #repo(repo) {
    const link = part(this, "repo");
    say(link, repo);
    if (REPO.test(repo)) link.href = `https://huggingface.co/${repo}`;
    else link.removeAttribute("href");
  }

  /** @param {ModelView} model @param {CardState} look @param {View} view @param {boolean} testing */
  #actions(model, look, view, testing) {
    const { verdict, state } = view;
    const off = state.link !== "live" ? "No connection to spark-control" : "";
    const lead = leadingAction(model, look, view);
    this.leads = lead;
    const go = part(this, "go");
    show(go, lead !== null);
    if (lead) setButton(go, lead.label, lead.icon);
    go.classList.toggle("primary", Boolean(lead?.primary) && !off);
    go.disabled = lead !== null && (off !== "" || (lead.swaps && verdict.may === "no"));
    const percent = typeof look.percent === "number" ? `${Math.floor(look.percent)}\u00a0% of the weights` : "On its way";
    const words = look.kind === "loaded" ? "Serving now"
      : look.kind === "loading" ? percent
        : look.kind === "leaving" ? "Stops for the running swap"
          : go.disabled ? off || verdict.reason : null;
    sayOrHide(part(this, "state"), words);
    const recipe = hasRecipe(model);
    show(part(this, "test"), recipe && !["incomplete", "downloading", "broken", "quarantined"].includes(look.kind));
    part(this, "test").disabled = testing || off !== "";
    show(part(this, "advanced"), recipe);
    part(this, "advanced").disabled = off !== "";
    part(this, "more").menu = { name: model.name, actions: off ? [] : lesserActions(model, look, view) };
  }
}
