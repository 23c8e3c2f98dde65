// @ts-check
// What to install of NVIDIA's registry, where, and with which key; the key stays in this form only.

import { newKey } from "../../api.js";
import { cloned, keyed, part, say, show, wish } from "../../dom.js";
import { Sheet } from "../../elements/sheet.js";
import { setProblems } from "../../forms.js";
import { memory } from "../../format.js";
import { entryHelp, kindWord, orderOf } from "./nim.js";

/** @typedef {import("../../types.js").State} State */

const OWN = "";

export class NimDialog extends Sheet {
  static template = "t-nim-dialog";
  /** @type {any[]} */
  entries = [];
  keySet = false;
  /** Of what is filled in: pressed twice, it is one installation. */
  key = "";

  ready() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    part(this, "entries").addEventListener("change", () => this.#chosen());
    form.addEventListener("input", () => {
      this.key = newKey();
      setProblems(this, new Map());
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (part(this, "go").disabled) return;
      const { order, problems } = orderOf(this.value, this.keySet);
      this.mark(problems);
      if (problems.size === 0) wish(this, "install-nim", { order, key: this.key });
    });
  }

  /** Nothing secret stays in the page. */
  closed() {
    part(this, "ngc").value = "";
  }

  /** @param {State} state */
  begin(state) {
    this.key = newKey();
    this.head("Install a service", "Ready-made services from NVIDIA (NIM). They run on your Spark; nothing leaves your network but the download.");
    for (const name of ["ngc", "name", "image", "port", "env"]) part(this, name).value = "";
    part(this, "entries").replaceChildren();
    setProblems(this, new Map());
    this.note("now", "Asking what can be installed.");
    const free = state.known.hardware?.value?.hosts ?? [];
    part(this, "host").replaceChildren(...(state.menu?.hosts ?? []).map((host) => {
      const ram = free.find((/** @type {any} */ each) => each.name === host.name)?.memory;
      const words = host.state === "unreachable" ? ", cannot be reached" : ram ? `, ${memory(ram.available)} GB memory free` : "";
      return new Option(`${host.label}${words}`, host.name);
    }));
    part(this, "host").selectedIndex = part(this, "host").options.length - 1; // beside the model, which has the first
    part(this, "go").disabled = true;
    this.show(part(this, "safe"));
  }

  /** @param {any} catalog @param {string} problem @param {State} state */
  known(catalog, problem, state) {
    if (!this.dialog.open) return;
    if (!catalog) return this.note("bad", problem || "Nobody answered. Close this and try again.");
    this.entries = catalog.entries;
    this.keySet = catalog.key_set;
    const running = catalog.job?.state === "running";
    this.note(catalog.problems.length > 0 ? "warn" : "idle", running ? "An installation is running already; one at a time for each Spark." : catalog.problems.join(" "));
    const own = { name: OWN, label: "Another image…", kind: "", about: "Any image of nvcr.io, for people who know what they do." };
    keyed(part(this, "entries"), [...catalog.entries, own], (entry) => entry.name || "own", () => /** @type {HTMLElement} */ (cloned("t-nim-entry").firstElementChild), (item, entry) => {
      part(item, "box").value = entry.name;
      say(part(item, "label"), entry.label);
      say(part(item, "help"), entryHelp(entry, state));
      say(part(item, "kind"), kindWord(entry.kind));
      show(part(item, "kind"), entry.kind !== "");
    });
    const first = /** @type {HTMLInputElement|null} */ (this.querySelector("[data-part=entries] input"));
    if (first) first.checked = true;
    say(part(this, "ngc-help"), this.keySet ? "One is saved in the settings; leave this empty to use it." : "From ngc.nvidia.com. It goes to the Spark for this installation and is never shown, logged or kept in the page.");
    part(this, "go").disabled = false;
    this.#chosen();
  }

  /** @param {boolean} busy */
  set busy(busy) {
    part(this, "go").disabled = busy;
    if (busy) this.note("now", "Asking for it.");
  }

  get value() {
    const box = /** @type {HTMLInputElement|null} */ (this.querySelector("[data-part=entries] input:checked"));
    const texts = ["ngc", "name", "image", "port", "host", "env"].map((name) => [name, part(this, name).value.trim()]);
    return /** @type {any} */ ({ entry: box?.value ?? OWN, ...Object.fromEntries(texts) });
  }

  #chosen() {
    const entry = this.entries.find((each) => each.name === this.value.entry);
    show(part(this, "own"), !entry);
    part(this, "port").placeholder = String(entry?.port ?? 8010);
  }
}
