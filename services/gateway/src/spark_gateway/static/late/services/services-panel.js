// @ts-check
// What is always on: a tile for each service, the files of speech, and how old all of that is.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../../dom.js";
import { count, listed } from "../../format.js";
import { hostLabel } from "../../menu.js";
import { caredFor } from "../../reduce-care.js";
import { doing } from "./acts.js";
import { currency } from "./tiles.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-health.js").ServiceView} ServiceView */
/** @typedef {import("../../types-health.js").DeepService} DeepService */

export class ServicesPanel extends HTMLElement {
  connectedCallback() {
    this.replaceChildren(cloned("t-services"));
    for (const [name, what] of [["check-all", "run-all-checks"], ["install", "open-nim"], ["add", "open-service-form"]]) {
      part(this, name).addEventListener("click", () => wish(this, what));
    }
  }

  /** @param {View} view */
  set view(view) {
    const { state, tab, now } = view;
    if (tab !== "services") return;
    const known = state.known.services;
    const services = /** @type {ServiceView[]} */ (known?.value?.services ?? []);
    const deep = /** @type {DeepService[]} */ (state.known.deep?.value?.services ?? []);
    const asked = known !== undefined;
    const fresh = currency(state, "services", now);
    const checks = currency(state, "deep", now);
    show(part(this, "waiting"), !asked);
    show(part(this, "away"), asked && state.link === "live" && (known?.value === null || fresh.text !== ""));
    say(part(this, "away-title"), known?.value ? "The health checks do not answer" : "Nothing is known of the services");
    say(part(this, "away-text"), `${fresh.text} What runs goes on; nobody watches it, and nothing is restarted by itself until they are back.`.trim());
    show(part(this, "none"), asked && known?.value && services.length === 0);
    for (const name of ["check-all", "install", "add"]) part(this, name).disabled = state.link !== "live" || fresh.old;
    keyed(part(this, "tiles"), services, (service) => service.name, () => document.createElement("service-tile"), (tile, service) => {
      const mine = deep.find((each) => each.name === service.name) ?? null;
      tile.tile = { service, deep: mine && checks.old ? { ...mine, running: false } : mine, old: fresh.old, busy: fresh.old || doing.has(service.name), view };
    });
    const problems = [...(known?.value?.problems ?? [])];
    sayOrHide(part(this, "problems"), problems.length > 0 ? problems.join(" ") : null);
    const hidden = known?.value?.hidden ?? [];
    sayOrHide(part(this, "hidden-text"), hidden.length > 0 ? `${listed(hidden)}: hidden in the settings, ${count(hidden.length)} without a tile and not looked at.` : null);
    const job = caredFor(state.known.bridge?.value?.job, state.care);
    part(this, "bridge-job").job = job ? { kind: "bridge", title: "Update of the Matrix bridge", job, view } : null;
    const nim = caredFor(state.known.nim?.value?.job, state.care);
    part(this, "nim-job").job = nim ? { kind: "nim", title: `Installing ${nim.what} on ${hostLabel(nim.host, state.menu?.hosts ?? [])}`, job: nim, view } : null;
    part(this, "speech").view = view;
  }
}
