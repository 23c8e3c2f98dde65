// @ts-check
// What a reader wants of the model launcher: understand its updates, make them, undo them.

import { cancelUpdate, getUpdates, startUpdate } from "../api-models.js";
import { newKey } from "../api.js";
import { explainUpdates, nothingYet } from "../explaining.js";
import { applyQuestion, cancelUpdateQuestion, lookedWords, revertQuestion } from "../updating.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */

/** @param {Acting} page @returns {Wishes} */
export function launcher(page) {
  const banner = /** @type {import("../elements/update-banner.js").UpdateBanner} */ (document.querySelector("update-banner"));
  let writing = false;
  return {
    "explain-updates": async () => {
      if (writing) return;
      writing = true;
      const { menu } = page.state;
      banner.explain(nothingYet(), menu);
      await page.attempt(
        () => explainUpdates((so) => banner.explain(so, menu)),
        (why) => banner.explain({ ...nothingYet(), done: true, problem: why.message }, menu),
      );
      writing = false;
      page.store.dispatchEvent(new Event("change"));
    },
    "look-for-updates": async () => {
      const updates = await page.attempt(() => getUpdates(true));
      if (!updates) return;
      page.say("updates", updates);
      const { tone, title, text } = lookedWords(updates, Date.now());
      page.toasts.add(tone, title, text);
    },
    "apply-updates": () => start(page, "apply"),
    "revert-updates": () => start(page, "revert"),
    "cancel-update": ({ id }) => askToCancel(page, id),
  };
}

/** @param {Acting} page @param {"apply"|"revert"} what */
async function start(page, what) {
  const { updates } = page.state;
  if (!updates) return;
  const key = newKey();
  const { yes } = await page.dialog.ask(what === "apply" ? applyQuestion(updates) : revertQuestion());
  const view = yes ? await page.attempt(() => startUpdate(what, key)) : null;
  if (view) page.say("update.view", view);
}

/** @param {Acting} page @param {string} id */
async function askToCancel(page, id) {
  const job = page.state.updates?.job;
  if (!job || job.id !== id) return;
  const { yes } = await page.dialog.ask(cancelUpdateQuestion(job));
  const view = yes ? await page.attempt(() => cancelUpdate(id)) : null;
  if (!view) return;
  page.say("update.view", view);
  page.toasts.add("ok", "Cancelling", "It ends at its next step.");
}
