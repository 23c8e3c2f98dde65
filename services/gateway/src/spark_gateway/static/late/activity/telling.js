// @ts-check
// What a reader wants of messages: targets, tests, another try; of the accounts: how many days.

import { putTarget, removeTarget, sendAgain, testTarget } from "./asking.js";
import { asSentence } from "../../format.js";
import { deliveryWords } from "./messages.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../acts/acting.js").Wishes} Wishes */
/** @typedef {import("../../types-owner.js").TargetView} TargetView */

/** @param {Acting} page @param {import("../../acts/knowing.js").Knowing} knowing @returns {Wishes} */
export function telling(page, knowing) {
  const dialog = /** @type {import("./target-dialog.js").TargetDialog} */ (document.querySelector("target-dialog"));
  const list = /** @type {import("./target-list.js").TargetList} */ (document.querySelector("target-list"));
  /** @param {string} id @returns {TargetView|undefined} */
  const known = (id) => page.state.known.targets?.value?.targets.find((/** @type {TargetView} */ each) => each.id === id);
  /** @type {Set<string>} */
  const testing = new Set();

  return {
    "open-target": ({ id }) => {
      const target = id ? known(id) : undefined;
      if (!id || target) dialog.begin(target ?? null);
    },
    "save-target": async ({ id, target }) => {
      if (!dialog.base && known(id)) return dialog.notSaved(taken(id));
      const here = dialog.meanwhile();
      dialog.busy = true;
      dialog.note("now", "Saving.");
      const view = await page.attempt(() => putTarget(id, target), (why) => here(() => dialog.notSaved(why), () => page.refused(why)));
      here(() => {
        dialog.busy = false;
        if (view) dialog.close();
      });
      if (!view) return undefined;
      page.toasts.add("ok", `${view.name} is saved`, "Send a test to see whether it arrives.");
      return knowing.look();
    },
    "test-target": async ({ id }) => {
      const target = known(id);
      if (!target || testing.has(id)) return;
      list.testing = testing.add(id);
      page.store.dispatchEvent(new Event("change"));
      const sent = await page.attempt(() => testTarget(id));
      testing.delete(id);
      list.testing = testing;
      if (sent?.state === "delivered") page.toasts.add("ok", `The test reached ${target.name}`, deliveryWords(sent, Date.now()));
      else if (sent) page.toasts.add("bad", `The test did not reach ${target.name}`, `${asSentence(sent.error ?? deliveryWords(sent, Date.now()))} Look at its address under Edit…, then send a test again.`);
      await knowing.look();
    },
    "remove-target": async ({ id }) => {
      const target = known(id);
      if (!target || !(await page.dialog.ask(removeQuestion(target))).yes) return;
      if (!(await page.attempt(() => removeTarget(id)))) return;
      page.toasts.add("ok", `${target.name} is not told any more`);
      await knowing.look();
    },
    "send-again": async ({ id }) => {
      if (!(await page.attempt(() => sendAgain(id)))) return;
      page.toasts.add("ok", "It is sent again", "As the same delivery: the receiver knows it by its id.");
      await knowing.look();
    },
    "show-deliveries": ({ state = knowing.which.state, limit = 50 }) => {
      knowing.which = { limit, ...(state ? { state } : {}) };
      return knowing.look();
    },
    "show-accounts": ({ days }) => {
      knowing.days = days;
      return knowing.look();
    },
  };
}

/** @param {string} id @returns {any} */
function taken(id) {
  const problem = { field: "id", message: `There is a target ${id} already. Choose another id, or change that one.`, severity: "error", near: [] };
  return { message: "Nothing was saved.", problems: [problem] };
}

/** @param {TargetView} target @returns {import("../../elements/confirm-dialog.js").Question} */
function removeQuestion(target) {
  const owed = target.pending + target.dead;
  return {
    title: `Stop telling ${target.name}?`,
    effects: [
      { kind: "stop", icon: "x", what: "It is not told any more.", how: owed > 0 ? `${owed} ${owed === 1 ? "message is" : "messages are"} still owed to it and will not be sent.` : "" },
      { kind: "keep", icon: "ok", what: "All others go on as they are." },
    ],
    safe: "Keep it",
    go: "Remove it",
    tone: "danger-fill",
  };
}
