// @ts-check
// From a key to a tested connection: shown by itself until a Spark let us in, later where one asks for it.

import { cloned, keyed, part, say, sayOrHide, setIcon, setPill, show, wish } from "../../dom.js";
import { asSentence } from "../../format.js";
import { loginOf, neverConnected, outcome } from "./words.js";

/** @typedef {import("./words.js").AccessTest} AccessTest */

const ADDRESS = "#setup";

export class SetupGuide extends HTMLElement {
  /** @type {import("./words.js").Access|null} */
  #access = null;
  /** @type {Map<string, AccessTest>} */
  #tests = new Map();
  /** Why a test could not be made, by Spark. @type {Map<string, string>} */
  #troubles = new Map();
  /** @type {Set<string>} */
  #running = new Set();
  #stays = false;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-setup-guide"));
    this.hidden = true;
  }

  /** Show it although all is connected. */
  open() {
    location.hash = ADDRESS;
    if (this.hidden) wish(this, "read-access");
    show(this, (this.#stays = true));
    this.#here();
  }

  /** @param {import("../../types.js").View} view */
  set view({ tab, state }) {
    const asked = location.hash === ADDRESS;
    // It must not vanish at the first success.
    this.#stays = tab === "home" && (asked || neverConnected(state) || (this.#stays && this.#tests.size > 0 && location.hash !== "#models"));
    const opened = this.#stays && this.hidden;
    show(this, this.#stays);
    if (opened) wish(this, "read-access");
    if (opened && asked) this.#here();
  }

  #here() {
    part(this, "title").focus(); // which scrolls there too
  }

  /** @param {import("./words.js").Access} access */
  know(access) {
    this.#access = access;
    show(part(this, "key-box"), Boolean(access.public_key));
    part(this, "key").value = access.public_key ?? "";
    sayOrHide(part(this, "fingerprint"), access.fingerprint ? `Its fingerprint is ${access.fingerprint}` : "");
    sayOrHide(part(this, "problem"), access.problem ? asSentence(access.problem) : "");
    this.#show();
  }

  /** @param {string} why */
  failed(why) {
    sayOrHide(part(this, "problem"), why);
  }

  /** @param {string} name @param {AccessTest|null} test @param {string} trouble */
  tested(name, test, trouble) {
    this.#running.delete(name);
    this.#troubles.set(name, trouble);
    this.#tests.delete(name);
    if (test) this.#tests.set(name, test);
    this.#show();
  }

  #show() {
    const { hosts = [], command = null } = this.#access ?? {};
    keyed(part(this, "hosts"), hosts, ({ name }) => name, (host) => {
      const row = /** @type {HTMLElement} */ (cloned("t-guide-host").firstElementChild);
      part(row, "test").addEventListener("click", () => {
        if (this.#running.has(host.name)) return;
        this.#running.add(host.name);
        this.#show();
        wish(this, "test-access", { name: host.name });
      });
      return row;
    }, (row, host) => {
      say(part(row, "label"), host.label);
      part(row, "login").value = loginOf(host);
      show(part(row, "command"), command !== null);
      part(row, "command").value = command ?? "";
      this.#result(row, host);
    });
    const end = outcome(hosts, this.#tests);
    setPill(part(this, "end-pill"), end ? { tone: end.tone, icon: end.icon, word: end.title } : null);
    say(part(this, "end-text"), end?.text ?? "Test the connection first.");
    const may = end?.tone === "ok" || end?.tone === "warn";
    show(part(this, "pick"), may);
    part(this, "last").classList.toggle("active", may);
  }

  /** @param {HTMLElement} row @param {import("./words.js").HostAccess} host */
  #result(row, { name, label }) {
    const running = this.#running.has(name);
    const test = running ? undefined : this.#tests.get(name);
    const trouble = running ? "" : this.#troubles.get(name) ?? "";
    part(row, "test").ariaDisabled = String(running); // a button that is off would lose the focus
    part(row, "test").ariaLabel = `Test the connection to ${label}`;
    setPill(part(row, "pill"), running ? { tone: "now", icon: "busy", word: "Testing" } : !test ? null : test.ok ? { tone: "ok", icon: "ok", word: "Connected" } : { tone: "bad", icon: "bad", word: "Not connected" });
    const took = test ? `Tested in ${test.seconds.toFixed(1)}\u00a0s: ${test.ok ? "we can log in" : "we cannot log in"}.` : "";
    sayOrHide(part(row, "state"), running ? `Logging in to ${label}…` : trouble || took);
    show(part(row, "steps"), Boolean(test));
    keyed(part(row, "steps"), test?.steps ?? [], ({ step }) => step, () => /** @type {HTMLElement} */ (cloned("t-guide-step").firstElementChild), (item, step) => {
      item.className = `result ${step.ok ? "ok" : test?.ok ? "warn" : "bad"}`;
      setIcon(/** @type {Element} */ (item.firstElementChild), step.ok ? "ok" : test?.ok ? "warn" : "bad");
      say(part(item, "sentence"), step.sentence);
      sayOrHide(part(item, "action"), step.action);
    });
  }
}
