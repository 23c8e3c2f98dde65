// @ts-check
// What a reader wants of the services: check, restart, start, stop, read logs, take on and off the list.

import { ask, newKey } from "../../api.js";
import { changedHands } from "../../acts/reserving.js";
import { asSentence } from "../../format.js";
import { signature } from "../../whoami.js";
import { dialog, post } from "./asking.js";
import { care } from "./care-acts.js";
import { actQuestion, crossed, remedyQuestion, removeQuestion } from "./questions.js";
import { switchMode } from "./modes.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../types-health.js").ServiceView} ServiceView */
/** @typedef {import("../../reduce-owner.js").Name} Name */

/** Services on which something that was pressed here is under way. @type {Set<string>} */
export const doing = new Set();

/** @param {string} name */
const of = (name) => `api/services/${encodeURIComponent(name)}`;
/** @param {string} name */
const deepOf = (name) => `api/deep-health/${encodeURIComponent(name)}`;

/** @param {Acting} page @param {{again: (...names: Name[]) => Promise<unknown>}} tools */
export function begin(page, tools) {
  const { again } = tools;
  const services = () => /** @type {ServiceView[]} */ (page.state.known.services?.value?.services ?? []);
  const known = (/** @type {string} */ name) => services().find((each) => each.name === name);
  /** One thing at a time for each service; the page shows that it is under way. @param {string} name @param {() => Promise<any>} act */
  const once = async (name, act) => {
    if (doing.has(name)) return null;
    doing.add(name);
    page.store.dispatchEvent(new Event("change"));
    const soon = setTimeout(() => again("services"), 1000); // others act too; the tile says what is done
    try {
      return await page.attempt(act);
    } finally {
      clearTimeout(soon);
      doing.delete(name);
      await again("services", "deep");
    }
  };
  /**
   * The question stays true while it is open; a yes to one reservation is none to the next.
   * @param {() => import("../../elements/confirm-dialog.js").Question} question @param {() => string|null} holder
   * @returns {Promise<{force?: true}|null>} null: no
   */
  const sure = async (question, holder) => {
    const before = holder();
    const asked = page.dialog.ask(question());
    const amend = () => page.dialog.amend(question(), asked);
    page.store.addEventListener("change", amend);
    const answer = await asked;
    page.store.removeEventListener("change", amend);
    if (!answer.yes) return null;
    const over = holder();
    if (over === null) return {};
    if (over === before) return { force: true };
    changedHands(page);
    return null;
  };
  return {
    wishes: {
      "act-on-service": async (/** @type {{name: string, action: "start"|"stop"|"restart"}} */ { name, action }) => {
        const service = known(name);
        if (!service) return;
        const holder = () => crossed(page.state, known(name) ?? service, false, Date.now());
        const asks = action !== "start" || holder() !== null;
        const yes = asks ? await sure(() => actQuestion(page.state, known(name) ?? service, action, Date.now()), holder) : {};
        if (!yes) return;
        const key = newKey();
        const said = await once(name, () => post(`${of(name)}/${action}`, yes, key));
        if (said) page.toasts.add(said.state === "running" || action === "stop" ? "ok" : "warn", asSentence(said.message), action === "restart" ? "The next deep check says whether it works." : "");
      },
      "apply-remedy": async (/** @type {{name: string}} */ { name }) => {
        const service = known(name);
        const yes = service && await sure(() => remedyQuestion(page.state, known(name) ?? service, Date.now()), () => crossed(page.state, known(name) ?? service, true, Date.now()));
        if (!service || !yes) return;
        const said = await once(name, () => post(`${deepOf(name)}/remedy/apply`, yes));
        if (said) page.toasts.add("ok", `${service.label} was restarted`, said.sentence ? asSentence(said.sentence) : "The next deep check says whether it works.");
      },
      "reset-remedy": async (/** @type {{name: string}} */ { name }) => {
        const said = await once(name, () => post(`${deepOf(name)}/remedy/reset`));
        if (said) page.toasts.add("ok", `${known(name)?.label ?? name} may be restarted by itself again`);
      },
      "set-remedy-mode": async (/** @type {{name: string, act: boolean}} */ { name, act }) => {
        const words = await once(name, () => switchMode(name, act, services().map((each) => each.name)));
        if (words) page.toasts.add(words.tone, words.title, words.text);
      },
      "run-deep-check": async (/** @type {{name: string}} */ { name }) => {
        const soon = setTimeout(() => again("deep"), 300);
        await page.attempt(() => post(`${deepOf(name)}/run`, { wait_seconds: 20 }));
        clearTimeout(soon);
        await again("deep", "services");
      },
      "run-all-checks": async () => {
        const names = (page.state.known.deep?.value?.services ?? []).filter((/** @type {any} */ each) => !each.disabled).map((/** @type {any} */ each) => each.name);
        const soon = setTimeout(() => again("deep"), 300);
        await Promise.all(names.map((/** @type {string} */ name) => page.attempt(() => post(`${deepOf(name)}/run`, { wait_seconds: 20 }))));
        clearTimeout(soon);
        await again("deep", "services");
      },
      "open-service-log": (/** @type {{name: string, label: string}} */ { name, label }) => dialog("service-log").begin(name, label),
      "open-service-form": () => dialog("service-form").begin(page.state.menu),
      "save-service": async (/** @type {{service: any}} */ { service }) => {
        const form = dialog("service-form");
        const here = form.meanwhile();
        form.busy = true;
        const saved = await page.attempt(() => post("api/services", service), (why) => here(() => form.notSaved(why), () => page.refused(why)));
        here(() => {
          form.busy = false;
          if (saved) form.close();
        });
        if (saved) page.toasts.add("ok", `${saved.label} is on the list`, "It is watched from now on.");
        await again("services");
      },
      "remove-service": async (/** @type {{name: string}} */ { name }) => {
        const service = known(name);
        if (!service || !(await page.dialog.ask(removeQuestion(service))).yes) return;
        const path = `${of(name)}?${new URLSearchParams({ requested_by: signature() })}`;
        const said = await once(name, () => ask(path, { method: "DELETE" }));
        if (said) page.toasts.add("ok", asSentence(said.message));
      },
      ...care(page, tools),
    },
    asks: [
      { name: /** @type {const} */ ("services"), ask: () => ask("api/services"), every: 10_000, on: /^health$|^(install|overlay)\.(complete|failed)$/ },
      { name: /** @type {const} */ ("deep"), ask: () => ask("api/deep-health"), every: 10_000, on: /^health$/ },
      { name: /** @type {const} */ ("speech"), ask: () => ask("api/speech-models"), every: 30_000, on: /^overlay\.(complete|failed)$/ },
      { name: /** @type {const} */ ("nim"), ask: () => ask("api/nim/catalog"), every: 20_000, on: /^install\.(complete|failed)$/ },
      { name: /** @type {const} */ ("bridge"), ask: bridge, every: 20_000, on: /^install\.(complete|failed)$/ },
    ],
  };

  /** There is none where nobody set its user. */
  async function bridge() {
    const list = page.state.known.services?.value ?? await ask("api/services");
    if (!list.services.some((/** @type {ServiceView} */ each) => each.origin === "bridge")) return { job: null };
    return ask("api/matrix-bridge");
  }
}
