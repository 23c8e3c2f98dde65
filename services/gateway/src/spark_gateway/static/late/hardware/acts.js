// @ts-check
// What a reader wants of a Spark as a machine: wake it, start it anew, shut it down, see longer charts.

import { ask } from "../../api.js";
import { asSentence } from "../../format.js";
import { signature } from "../../whoami.js";
import { offQuestion } from "./questions.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../types-health.js").Span} Span */

/** How far back the charts go; of this page, not of the product. @type {{span: Span}} */
export const looking = { span: "hour" };

/** @returns {import("./runbook-dialog.js").RunbookDialog} */
function runbook() {
  const found = document.querySelector("runbook-dialog");
  if (found) return /** @type {any} */ (found);
  return /** @type {any} */ (document.body.appendChild(document.createElement("runbook-dialog")));
}

/** @param {string} path @param {any} [body] */
const post = (path, body = {}) => ask(path, { method: "POST", body: { ...body, requested_by: signature() }, patience: 45000 });

/** @param {Acting} page @param {{again: (...names: any[]) => Promise<unknown>}} tools */
export function begin(page, { again }) {
  /** @type {Set<string>} */
  const waking = new Set();
  const turnOff = async (/** @type {{name: string, label: string, action: "shutdown"|"reboot"}} */ wanted) => {
    page.attempt(() => ask("api/services"), () => {}).then((value) => value && page.say("known", { name: "services", value }));
    const asked = page.dialog.ask(offQuestion(page.state, wanted, Date.now()));
    const amend = () => page.dialog.amend(offQuestion(page.state, wanted, Date.now()), asked);
    page.store.addEventListener("change", amend);
    const { yes } = await asked;
    page.store.removeEventListener("change", amend);
    if (!yes) return;
    const { name, action } = wanted;
    const said = await page.attempt(() => post(`api/spark/${encodeURIComponent(name)}/${action}`, { confirm: name }));
    if (said) page.toasts.add("ok", action === "reboot" ? `${wanted.label} starts anew` : `${wanted.label} goes off`, asSentence(said.sentence));
    await again("hardware");
  };
  return {
    wishes: {
      "wake-spark": async (/** @type {{name: string, label: string}} */ { name, label }) => {
        if (waking.has(name)) return;
        waking.add(name);
        const attempt = await page.attempt(() => post(`api/spark/${encodeURIComponent(name)}/wake`));
        waking.delete(name);
        if (attempt) page.toasts.add("ok", `${label} was called`, asSentence(attempt.sentence));
        await again("hardware");
      },
      "reboot-spark": turnOff,
      "shut-down-spark": turnOff,
      "open-runbook": (/** @type {{anchor: string}} */ { anchor }) => runbook().begin(anchor),
      "show-charts": (/** @type {{span: Span}} */ { span }) => {
        looking.span = span;
        page.store.dispatchEvent(new Event("change"));
        return again("charts");
      },
    },
    asks: [
      { name: /** @type {const} */ ("hardware"), ask: () => ask("api/hardware"), every: 10_000, on: /^health$/ },
      { name: /** @type {const} */ ("charts"), ask: () => ask(`api/hardware?history=${looking.span}`).then(({ history }) => history), every: 60_000 },
      { name: /** @type {const} */ ("advice"), ask: () => ask("api/advice"), every: 30_000 },
    ],
  };
}
