// @ts-check
// All models on the disks, found by words or by state, and those we know how to start but do not have.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../dom.js";
import { settled } from "../downloading.js";
import { count } from "../format.js";
import { choose } from "../menu.js";
import { lookLabel } from "../updating.js";

/** @typedef {import("../types.js").View} View */

const ADDING = [
  { wish: "open-local", label: "Add a local model…", icon: "folder" },
  { wish: "open-templates", label: "Import a recipe of the launcher…", icon: "plus" },
];
/** @param {View} view */
const adding = ({ state, now }) => [...ADDING, { wish: "look-for-updates", label: lookLabel(state.updates, now), icon: "restart" }];

/** What the cards show depends on, besides what they are told; a minute is how fine they tell the time. @param {View} view */
const basis = ({ state, verdict, now }) => [
  state.menu, state.swaps, state.downloads, state.updates, state.link, state.dismissed, verdict.reason, verdict.may, verdict.over, Math.floor(now / 60000),
];

export class ModelGrid extends HTMLElement {
  /** @type {"all"|"ready"|"setup"} */
  filter = "all";
  /** @type {View|null} */
  last = null;
  /** Keys of the models that are being tested. @type {ReadonlySet<string>} */
  tested = new Set();

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-models"));
    part(this, "search").addEventListener("input", () => this.#render());
    part(this, "look").addEventListener("click", () => wish(this, "look-again"));
    part(this, "download").addEventListener("click", () => wish(this, "open-download", {}));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-filter]");
      if (button instanceof HTMLElement) this.#choose(button);
    });
  }

  /** Whether the disks are being looked at. @param {boolean} busy */
  set looking(busy) {
    part(this, "look").disabled = busy;
    say(part(this, "look-word"), busy ? "Looking at the disks" : "Look at the disks again");
  }

  /** @param {ReadonlySet<string>} keys */
  set testing(keys) {
    this.tested = new Set(keys);
    this.#render();
  }

  /** @param {View} view */
  set view(view) {
    const last = this.last ? basis(this.last) : [];
    const same = this.last !== null && basis(view).every((each, index) => each === last[index]);
    this.last = view;
    show(this, view.state.menu !== null);
    if (!same) this.#render();
  }

  /** @param {HTMLElement} chosen */
  #choose(chosen) {
    this.filter = /** @type {"all"|"ready"|"setup"} */ (chosen.dataset.filter);
    for (const button of this.querySelectorAll("[data-filter]")) button.setAttribute("aria-pressed", String(button === chosen));
    this.#render();
  }

  #render() {
    const view = this.last;
    if (!view?.state.menu) return;
    const { menu, link } = view.state;
    const words = part(this, "search").value.trim();
    const { cards, away } = choose(menu, words, this.filter);
    keyed(part(this, "cards"), cards, (model) => model.key, () => document.createElement("model-card"), (card, model) => {
      card.model = { model: settled(model, view.state.downloads, view.now), view, testing: this.tested.has(model.key) };
    });
    const narrowed = words !== "" || this.filter !== "all";
    sayOrHide(part(this, "none"), cards.length > 0 ? null : narrowed
      ? "No model on the disks matches."
      : "No Spark has a model on its disk yet. Download one, or add one of your own.");
    say(part(this, "found"), narrowed ? `${count(cards.length)} of ${count(menu.models.length)} models shown` : "");
    part(this, "download").disabled = link !== "live";
    part(this, "more").menu = { name: "models", actions: link === "live" ? adding(view) : [] };
    part(this, "downloads").view = view;
    part(this, "away").away = { recipes: away, hosts: menu.hosts.length, off: link !== "live" };
    this.#problems(menu.problems);
  }

  /** @param {string[]} problems */
  #problems(problems) {
    show(part(this, "problems"), problems.length > 0);
    say(part(this, "problems-word"), `${count(problems.length)} ${problems.length === 1 ? "thing in the recipes is" : "things in the recipes are"} left out`);
    keyed(part(this, "problems-list"), problems, (problem) => problem, () => document.createElement("li"), say);
  }
}
