// @ts-check
// What was sent, to whom, and how often it was tried.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { asSentence } from "../../format.js";
import { deliveryPill, deliveryWhen, deliveryWords } from "./messages.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").DeliveryView} DeliveryView */

const FEW = 50;
const MOST = 500;

export class DeliveryList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-deliveries"));
    part(this, "older").addEventListener("click", () => wish(this, "show-deliveries", { limit: MOST }));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-state]");
      if (!(button instanceof HTMLElement)) return;
      for (const each of this.querySelectorAll("[data-state]")) each.setAttribute("aria-pressed", String(each === button));
      wish(this, "show-deliveries", { state: button.dataset.state });
    });
  }

  /** @param {View} view */
  set view({ state, now }) {
    const deliveries = /** @type {DeliveryView[]|null} */ (state.known.deliveries?.value?.deliveries ?? null);
    const names = new Map((state.known.targets?.value?.targets ?? []).map((/** @type {any} */ target) => [target.id, target.name]));
    show(this, deliveries !== null);
    show(part(this, "none"), deliveries?.length === 0);
    show(part(this, "older-box"), deliveries?.length === FEW);
    show(part(this, "table"), (deliveries?.length ?? 0) > 0);
    keyed(part(this, "rows"), deliveries ?? [], (delivery) => delivery.id, (delivery) => {
      const row = /** @type {HTMLElement} */ (cloned("t-delivery-row").firstElementChild);
      part(row, "again").addEventListener("click", () => wish(this, "send-again", { id: delivery.id }));
      return row;
    }, (row, delivery) => {
      const to = names.get(delivery.target) ?? delivery.target;
      say(part(row, "when"), deliveryWhen(delivery, now));
      say(part(row, "type"), delivery.test ? "Test" : delivery.type);
      say(part(row, "to"), `to ${to}`);
      setPill(part(row, "pill"), deliveryPill(delivery));
      say(part(row, "words"), deliveryWords(delivery, now));
      sayOrHide(part(row, "error"), delivery.state === "delivered" ? null : asSentence(delivery.error ?? ""));
      show(part(row, "again"), delivery.state === "dead");
      part(row, "again").disabled = state.link !== "live";
      part(row, "again").setAttribute("aria-label", `Send ${delivery.type} to ${to} again`);
    });
  }
}
