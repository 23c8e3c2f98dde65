// @ts-check
// What a reader wants of longer work on services: install one, update the bridge, care for the speech files.

import { ask, newKey } from "../../api.js";
import { asSentence } from "../../format.js";
import { proof } from "../../holding.js";
import { signature } from "../../whoami.js";
import { dialog, post } from "./asking.js";
import { bridgeQuestion, removeNimQuestion, speechQuestion } from "./questions.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */

/** Where the jobs of a kind are. @type {Record<string, string>} */
const JOBS = { nim: "api/nim/jobs", bridge: "api/matrix-bridge/jobs", speech: "api/speech-models/jobs" };

/** @param {{kind: string, id: string}} job */
const jobPath = ({ kind, id }) => `${JOBS[kind]}/${encodeURIComponent(id)}`;

/** @param {Acting} page @param {{again: (...names: any[]) => Promise<unknown>}} tools */
export function care(page, { again }) {
  return {
    "change-speech": async (/** @type {{what: "reapply"|"undo"|"restart"}} */ { what }) => {
      const question = () => speechQuestion(what, page.state, Date.now());
      const asked = page.dialog.ask(question());
      const amend = () => page.dialog.amend(question(), asked);
      page.store.addEventListener("change", amend);
      const { yes } = await asked;
      page.store.removeEventListener("change", amend);
      if (!yes) return;
      await page.attempt(() => ask(`api/speech-models/${what}`, { method: "POST", body: { requested_by: signature() }, headers: { "idempotency-key": newKey(), ...proof() } }));
      await again("speech");
    },
    "update-bridge": async () => {
      const service = page.state.known.services?.value?.services.find((/** @type {any} */ each) => each.origin === "bridge");
      if (!service || !(await page.dialog.ask(bridgeQuestion(page.state, service, Date.now()))).yes) return;
      await page.attempt(() => post("api/matrix-bridge/update", {}, newKey()));
      await again("bridge", "services");
    },
    "open-nim": async () => {
      const form = dialog("nim-dialog");
      form.begin(page.state);
      await again("nim");
      form.known(page.state.known.nim?.value ?? null, page.state.known.nim?.problem ?? "", page.state);
    },
    "install-nim": async (/** @type {{order: any, key: string}} */ { order, key }) => {
      const form = dialog("nim-dialog");
      const here = form.meanwhile();
      form.busy = true;
      const view = await page.attempt(() => post("api/nim/install", order, key), (why) => here(() => form.notSaved(why), () => page.refused(why)));
      here(() => {
        form.busy = false;
        if (view) form.close();
      });
      if (view) page.toasts.add("ok", "The installation has started", asSentence(view.message));
      await again("nim", "services");
    },
    "remove-nim": async (/** @type {{name: string, label: string}} */ wanted) => {
      const { yes, choices } = await page.dialog.ask(removeNimQuestion(wanted));
      if (!yes) return;
      const query = new URLSearchParams({ volume: String(Boolean(choices.volume)), requested_by: signature() });
      const said = await page.attempt(() => ask(`api/nim/${encodeURIComponent(wanted.name)}?${query}`, { method: "DELETE", patience: 90_000 }));
      if (said) page.toasts.add("ok", asSentence(said.message));
      await again("services", "nim", "deep");
    },
    "cancel-care": async (/** @type {{kind: string, id: string}} */ job) => {
      const said = await page.attempt(() => ask(`${jobPath(job)}?${new URLSearchParams({ requested_by: signature() })}`, { method: "DELETE" }));
      if (said) page.toasts.add("ok", "Cancelling", "It ends at its next step; what was there before stays.");
      await again(job.kind);
    },
    "open-care-log": async (/** @type {{kind: string, id: string}} */ job) => {
      const log = /** @type {import("../../elements/log-dialog.js").LogDialog} */ (document.querySelector("log-dialog"));
      log.begin("Whole log", "What its programs wrote.");
      const said = await page.attempt(() => ask(`${jobPath(job)}/log`), (why) => log.fail(why.message));
      if (said) log.fill(job.id, said.lines, !said.complete);
    },
  };
}
