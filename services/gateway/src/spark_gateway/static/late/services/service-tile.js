// @ts-check
// One service: how it is, how it did its work, what restarts it, and what may be pressed.

import { cloned, keyed, part, say, sayOrHide, setBadge, setButton, setIcon, setPill, show, wish } from "../../dom.js";
import { awayHost } from "../../health-words.js";
import { budgetWords, deepLine, deepRow, isUnseen, presses, rarely, serviceIcon, servicePill, techWords, targetLines, tileLines } from "./tiles.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-health.js").ServiceView} ServiceView */
/** @typedef {import("../../types-health.js").DeepService} DeepService */
/** @typedef {import("./tiles.js").Press} Press */

export class ServiceTile extends HTMLElement {
  /** @type {Press[]} */
  pressed = [];
  name = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-service"));
    part(this, "check").addEventListener("click", () => wish(this, "run-deep-check", { name: this.name }));
    part(this, "mode").addEventListener("click", (/** @type {Event} */ event) => {
      event.preventDefault(); // what is shown is what the server said
      wish(this, "set-remedy-mode", { name: this.name, act: !(part(this, "mode").dataset.act === "yes") });
    });
    part(this, "actions").addEventListener("click", (/** @type {Event} */ event) => {
      const button = /** @type {Element} */ (event.target).closest("button[data-key]");
      const press = this.pressed.find((each) => each.wish + each.label === /** @type {HTMLElement|null} */ (button)?.dataset.key);
      if (press) wish(this, press.wish, press.detail);
    });
  }

  /** @param {{service: ServiceView, deep: DeepService|null, old: boolean, busy: boolean, view: View}} tile */
  set tile({ service, deep, old, busy, view }) {
    const { state, now } = view;
    this.name = service.name;
    const article = /** @type {HTMLElement} */ (this.firstElementChild);
    const heading = part(this, "label");
    heading.id = `service-${service.name}`;
    article.setAttribute("aria-labelledby", heading.id);
    article.toggleAttribute("data-old", old || isUnseen(service));
    const away = awayHost(state, service.host);
    const pill = servicePill(service, deep, old, away);
    setBadge(part(this, "badge"), pill.tone === "bad" || pill.tone === "warn" ? pill.tone : "idle", serviceIcon(service));
    say(heading, service.label);
    say(part(this, "tech"), techWords(service, state));
    setPill(part(this, "pill"), pill);
    this.#deep(service, deep, now, state.link === "live" && away === null);
    const target = state.health?.targets.find((each) => each.name === service.name);
    keyed(part(this, "lines"), [...targetLines(target), ...tileLines(service, deep, now, away)], (line) => line.key, () => /** @type {HTMLElement} */ (cloned("t-service-line").firstElementChild), (item, line) => {
      item.className = line.tone === "idle" ? "" : line.tone;
      setIcon(item.firstElementChild, line.icon);
      say(item.lastElementChild, line.text);
    });
    const evidence = deep?.remedy?.evidence ?? [];
    show(part(this, "evidence"), evidence.length > 0);
    say(part(this, "evidence-lines"), evidence.join("\n"));
    show(part(this, "url"), Boolean(service.url));
    if (service.url) part(this, "url").value = service.url;
    this.#mode(deep, service, state.link === "live" && !busy);
    this.#actions(service, deep, busy || away !== null || state.link !== "live" || service.acting !== null);
  }

  /** @param {ServiceView} service @param {DeepService|null} deep @param {number} now @param {boolean} live */
  #deep(service, deep, now, live) {
    show(part(this, "deep"), deep !== null);
    show(part(this, "history"), (deep?.history.length ?? 0) > 1);
    if (!deep) return;
    const line = deepLine(deep, now);
    part(this, "deep").className = line.tone === "idle" ? "" : line.tone;
    setIcon(part(this, "deep-icon"), line.icon);
    say(part(this, "deep-text"), line.text);
    part(this, "check").setAttribute("aria-label", `Check ${service.label} with real work now`);
    part(this, "check").disabled = deep.running || !live;
    keyed(part(this, "history-rows"), deep.history, (each) => each.at, () => /** @type {HTMLElement} */ (cloned("t-deep-row").firstElementChild), (row, each) => {
      const { pill, when, text } = deepRow(each, now);
      setPill(part(row, "pill"), pill);
      say(part(row, "when"), when);
      say(part(row, "text"), text);
    });
  }

  /** @param {DeepService|null} deep @param {ServiceView} service @param {boolean} live */
  #mode(deep, service, live) {
    const mode = deep?.remedy?.mode ?? "never";
    const box = part(this, "mode");
    show(part(this, "mode-box"), mode !== "never");
    box.dataset.act = mode === "act" ? "yes" : "no";
    box.checked = mode === "act";
    box.disabled = !live;
    box.setAttribute("aria-label", `Restart ${service.label} by itself when it is stuck`);
    sayOrHide(part(this, "mode-why"), deep?.remedy ? budgetWords(deep.remedy) : null);
  }

  /** @param {ServiceView} service @param {DeepService|null} deep @param {boolean} off */
  #actions(service, deep, off) {
    this.pressed = presses(service, deep);
    keyed(part(this, "actions"), this.pressed, (press) => press.wish + press.label, () => {
      const button = document.createElement("button");
      button.type = "button";
      return button;
    }, (button, press) => {
      button.className = press.primary ? "btn primary" : press.label.startsWith("Restart") ? "btn" : "btn quiet";
      setButton(button, press.label, press.icon);
      button.setAttribute("aria-label", `${press.label} ${service.label}`);
      button.disabled = off;
    });
    part(this, "more").menu = { name: service.label, actions: off ? [] : rarely(service) };
  }
}
