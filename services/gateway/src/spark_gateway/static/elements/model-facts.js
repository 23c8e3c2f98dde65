// @ts-check
// The facts of a card: does it fit, where does it lie, how did its last test end.

import { fitLine, testLine } from "../card-lines.js";
import { cloned, keyed, part, say, setIcon, show } from "../dom.js";
import { duration } from "../format.js";
import { copyWord } from "../menu.js";

/** @typedef {import("../types.js").ModelView} ModelView */
/** @typedef {import("../types.js").View} View */

const WITHOUT_FIT = new Set(["needs_setup", "incomplete", "broken", "downloading", "missing"]);
const TESTING = { tone: "now", icon: "busy", text: "Testing: vLLM reads the settings, nothing is loaded." };

export class ModelFacts extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-model-facts"));
  }

  /** @param {{model: ModelView, look: import("../cards.js").CardState, view: View, testing: boolean}} card */
  set facts({ model, look, view, testing }) {
    const menu = /** @type {import("../types.js").Menu} */ (view.state.menu);
    this.#fit(WITHOUT_FIT.has(look.kind) ? null : fitLine(model, menu));
    this.#disk(model, menu.hosts);
    this.#result(testing ? TESTING : look.kind === "needs_setup" ? null : testLine(model, view.now));
  }

  /** @param {ReturnType<typeof fitLine>} fit */
  #fit(fit) {
    show(part(this, "fit"), fit !== null);
    if (!fit) return;
    part(this, "fit-icon").parentElement.className = fit.tone;
    setIcon(part(this, "fit-icon"), fit.icon);
    say(part(this, "fit-words"), fit.words);
    say(part(this, "fit-numbers"), fit.numbers);
    const meter = part(this, "fit-meter");
    Object.assign(meter, { max: fit.total, high: fit.total * 0.94, optimum: 0, value: Math.min(fit.needed, fit.total) });
    meter.setAttribute("aria-label", `${fit.words}: ${fit.numbers}`);
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

  /** @param {{tone: string, icon: string, text: string}|null} shown */
  #result(shown) {
    show(part(this, "result"), shown !== null);
    if (!shown) return;
    part(this, "result").className = `result ${shown.tone}`;
    setIcon(part(this, "result-icon"), shown.icon);
    say(part(this, "result-text"), shown.text);
  }
}
