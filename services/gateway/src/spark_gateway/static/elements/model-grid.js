// @ts-check
// All models on the disks, found by words or by state, and those we know how to start but do not have.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../dom.js";
import { count } from "../format.js";
import { choose } from "../menu.js";

/** @typedef {import("../types.js").View} View */

export class ModelGrid extends HTMLElement {
  /** @type {"all"|"ready"|"setup"} */
  filter = "all";
  /** @type {View|null} */
  last = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-models"));
    part(this, "search").addEventListener("input", () => this.#render());
    part(this, "look").addEventListener("click", () => wish(this, "look-again"));
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

  /** @param {View} view */
  set view(view) {
    const same = this.last?.state.menu === view.state.menu && this.last?.state.swaps === view.state.swaps
      && this.last?.verdict.reason === view.verdict.reason && this.last?.verdict.may === view.verdict.may;
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
    const words = part(this, "search").value.trim();
    const { cards, away } = choose(view.state.menu, words, this.filter);
    keyed(part(this, "cards"), cards, (model) => model.key, () => document.createElement("model-card"), (card, model) => {
      card.model = { model, view };
    });
    const narrowed = words !== "" || this.filter !== "all";
    sayOrHide(part(this, "none"), cards.length > 0 ? null : narrowed
      ? "No model on the disks matches."
      : "No Spark has a model on its disk yet.");
    say(part(this, "found"), narrowed ? `${count(cards.length)} of ${count(view.state.menu.models.length)} models shown` : "");
    this.#away(away);
    this.#problems(view.state.menu.problems);
  }

  /** @param {import("../types.js").RecipeView[]} away */
  #away(away) {
    show(part(this, "away"), away.length > 0);
    say(part(this, "away-word"), `Not on disk: ${count(away.length)} more that we know how to start`);
    keyed(part(this, "away-rows"), away, (recipe) => recipe.key, () => {
      const row = document.createElement("tr");
      for (let cell = 0; cell < 3; cell += 1) row.append(document.createElement("td"));
      return row;
    }, (row, recipe) => {
      [recipe.name, recipe.repo, recipe.mode === "cluster" ? "Both Sparks" : "One Spark"].forEach((text, cell) => say(row.cells[cell], text));
    });
  }

  /** @param {string[]} problems */
  #problems(problems) {
    show(part(this, "problems"), problems.length > 0);
    say(part(this, "problems-word"), `${count(problems.length)} ${problems.length === 1 ? "recipe was" : "recipes were"} left out`);
    keyed(part(this, "problems-list"), problems, (problem) => problem, () => document.createElement("li"), say);
  }
}
