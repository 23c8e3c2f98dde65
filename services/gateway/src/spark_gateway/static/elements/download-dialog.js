// @ts-check
// What to download and where to, with the space before and after and the time it takes.

import { newKey } from "../api.js";
import { cloned, keyed, part, say, setButton, setEffects, wish } from "../dom.js";
import { downloadButton, downloadEffect, targets } from "../downloading.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../types.js").Menu} Menu */
/** @typedef {import("../types-control.js").DownloadPlan} DownloadPlan */

const REPO = /^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/;

export class DownloadDialog extends Sheet {
  static template = "t-download-dialog";
  /** @type {Menu|null} */
  menu = null;
  /** @type {DownloadPlan|null} */
  everywhere = null;
  /** Of what is chosen now: however often the button is pressed, it is one download. */
  key = "";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    part(this, "repo").addEventListener("input", () => this.#changed(null));
    part(this, "targets").addEventListener("change", () => this.#changed(this.everywhere));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!part(this, "go").disabled) wish(this, "start-download", this.value);
    });
  }

  /** @param {Menu|null} menu @param {{repo?: string, hosts?: string[], mode?: "solo"|"cluster"}} wanted */
  begin(menu, { repo = "", hosts, mode }) {
    this.menu = menu;
    this.head("Download a model");
    part(this, "repo").value = repo;
    const names = [...(menu?.recipes ?? []), ...(menu?.models ?? [])].map((each) => each.repo).filter((name) => REPO.test(name));
    keyed(part(this, "names"), [...new Set(names)], (name) => name, () => document.createElement("option"), (option, name) => {
      option.value = name;
    });
    part(this, "targets").replaceChildren();
    const all = menu?.hosts.map((host) => host.name) ?? [];
    const chosen = hosts ?? (mode === "cluster" ? all : all.slice(0, 1));
    this.#changed(null, chosen.join(" "));
    this.show(repo ? /** @type {HTMLElement} */ (this.querySelector("input:checked") ?? part(this, "repo")) : part(this, "repo"));
  }

  /** @returns {{repo: string, hosts: string[], key: string}} */
  get value() {
    const chosen = /** @type {HTMLInputElement|null} */ (this.querySelector("input[type=radio]:checked"));
    return { repo: part(this, "repo").value.trim(), hosts: (chosen?.value ?? "").split(" ").filter(Boolean), key: this.key };
  }

  /** @param {DownloadPlan|null} everywhere @param {string} [chosen] */
  #changed(everywhere, chosen) {
    this.everywhere = everywhere;
    this.key = newKey();
    this.visit += 1;
    this.#targets(chosen);
    const { repo, hosts } = this.value;
    const well = REPO.test(repo);
    setEffects(part(this, "effects"), []);
    this.note("idle", repo === "" || well ? (well ? "Asking how big it is." : "") : "Write it as owner/name, as in the address on Hugging Face.");
    this.#go(false, null);
    if (well && hosts.length > 0) wish(this, "plan-download", { repo, hosts, everywhere });
  }

  /** @param {string} [chosen] */
  #targets(chosen) {
    const wanted = chosen ?? this.value.hosts.join(" ");
    const list = targets(this.menu, this.everywhere);
    keyed(part(this, "targets"), list, (target) => target.hosts.join(" "), () => /** @type {HTMLElement} */ (cloned("t-target").firstElementChild), (item, target) => {
      const box = part(item, "box");
      box.value = target.hosts.join(" ");
      box.checked = box.value === wanted;
      say(part(item, "label"), target.label);
      say(part(item, "help"), target.help);
    });
  }

  /** What the swapper said about the choice, and about all Sparks. @param {DownloadPlan} plan @param {DownloadPlan} everywhere */
  planned(plan, everywhere) {
    this.everywhere = everywhere;
    this.#targets();
    const blocked = plan.blockers.length > 0;
    const { what, how } = downloadEffect(plan);
    setEffects(part(this, "effects"), [
      ...(blocked && typeof plan.missing_bytes !== "number" ? [] : [{ kind: /** @type {const} */ ("keep"), icon: "info", what, how }]),
      ...plan.blockers.map((blocker) => ({ kind: /** @type {const} */ ("stop"), icon: "bad", what: blocker })),
    ]);
    this.note("idle", plan.running ? "It is being downloaded already." : blocked ? "Not possible as it stands." : "");
    this.#go(!blocked && !plan.running && plan.missing_bytes !== 0, plan);
  }

  /** It is not known what it takes. @param {string} why */
  unplanned(why) {
    this.note("bad", why);
    this.#go(false, null);
  }

  /** While it is asked for. */
  starting() {
    this.note("now", "Starting.");
    part(this, "go").disabled = true;
  }

  /** It was not started; one may try again. @param {string} why */
  refused(why) {
    this.note("bad", why);
    part(this, "go").disabled = false;
  }

  /** @param {boolean} possible @param {DownloadPlan|null} plan */
  #go(possible, plan) {
    setButton(part(this, "go"), downloadButton(plan), "down");
    part(this, "go").disabled = !possible;
  }
}
