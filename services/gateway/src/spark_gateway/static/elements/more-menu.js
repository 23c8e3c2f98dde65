// @ts-check
// The menu behind the three dots of a card: what is pressed rarely.

import { cloned, keyed, part, setButton, show, wish } from "../dom.js";

/** @typedef {import("../card-lines.js").Action} Action */

export class MoreMenu extends HTMLElement {
  /** @type {Action[]} */
  shown = [];

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-more"));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button[data-key]");
      if (button instanceof HTMLElement) this.#choose(button.dataset.key ?? "");
    });
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#details.open) return;
      this.#details.open = false;
      this.#details.querySelector("summary")?.focus();
    });
    this.addEventListener("focusout", (event) => {
      if (!this.contains(/** @type {Node|null} */ (event.relatedTarget))) this.#details.open = false;
    });
  }

  get #details() {
    return /** @type {HTMLDetailsElement} */ (this.firstElementChild);
  }

  /** @param {{name: string, actions: Action[]}} menu */
  set menu({ name, actions }) {
    this.shown = actions;
    show(this, actions.length > 0);
    part(this, "summary").setAttribute("aria-label", `More for ${name}`);
    keyed(part(this, "list"), actions, (action) => action.wish, () => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      item.append(button);
      return item;
    }, (item, action) => {
      const button = item.firstElementChild;
      button.dataset.key = action.wish;
      button.className = action.danger ? "btn quiet danger" : "btn quiet";
      setButton(button, action.label, action.icon);
    });
  }

  /** @param {string} key */
  #choose(key) {
    const action = this.shown.find((each) => each.wish === key);
    const summary = this.#details.querySelector("summary");
    summary?.focus(); // a dialog gives the focus back to where it was
    this.#details.open = false;
    if (action) wish(this, action.wish, action.detail);
  }
}
