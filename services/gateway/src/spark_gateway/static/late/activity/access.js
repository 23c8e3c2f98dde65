// @ts-check
// What a reader wants of keys, of the request log and of the capture of bodies.

import { beginCapture, changeKey, makeKey, revokeKey } from "./asking.js";
import { copyText } from "../../elements/copy-field.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../acts/acting.js").Wishes} Wishes */
/** @typedef {import("../../types-owner.js").KeyView} KeyView */


/** @param {Acting} page @param {import("../../acts/knowing.js").Knowing} knowing @returns {Wishes} */
export function access(page, knowing) {
  const dialog = /** @type {import("./key-dialog.js").KeyDialog} */ (document.querySelector("key-dialog"));
  /** @param {string} id @returns {KeyView|undefined} */
  const known = (id) => page.state.known.keys?.value?.keys.find((/** @type {KeyView} */ each) => each.id === id);

  return {
    "open-key": () => dialog.begin(),
    "edit-key": ({ id }) => {
      const key = known(id);
      if (key) dialog.begin(key);
    },
    "change-key": async ({ id, changes }) => {
      const here = dialog.meanwhile();
      dialog.busy = true;
      dialog.note("now", "Saving it.");
      const changed = await page.attempt(() => changeKey(id, changes), (why) => here(() => dialog.notSaved(why), () => page.refused(why)));
      here(() => {
        dialog.busy = false;
        if (changed) dialog.close();
      });
      if (!changed) return;
      page.toasts.add("ok", `${changed.name} is changed`, "It holds for every request from now on.");
      await knowing.look();
    },
    "make-key": async ({ key }) => {
      const here = dialog.meanwhile();
      dialog.busy = true;
      dialog.note("now", "Making it.");
      const made = await page.attempt(() => makeKey(key), (why) => here(() => dialog.notSaved(why), () => page.refused(why)));
      here(() => {
        dialog.busy = false;
        if (made) dialog.made(made.name, made.key);
      }, () => made && page.toasts.add("warn", `The key of ${made.name} was made and not seen`, "Revoke it and make another one."));
      if (made) await knowing.look();
    },
    "copy-key": async ({ text }) => {
      // A toast would keep the key on the page.
      if (await copyText(text)) dialog.note("ok", "Copied.");
      else dialog.note("bad", "The browser does not allow it. Select the text instead.");
    },
    "switch-key": async ({ id }) => {
      const key = known(id);
      if (!key || !(await page.attempt(() => changeKey(id, { enabled: !key.enabled })))) return;
      page.toasts.add("ok", `${key.name} is switched ${key.enabled ? "off" : "on"}`);
      await knowing.look();
    },
    "revoke-key": async ({ id }) => {
      const key = known(id);
      if (!key || !(await page.dialog.ask(revokeQuestion(key))).yes) return;
      if (!(await page.attempt(() => revokeKey(id)))) return;
      page.toasts.add("ok", `${key.name} is revoked`);
      await knowing.look();
    },
    "show-requests": (which) => {
      knowing.log = which;
      return knowing.look();
    },
    "begin-capture": async () => {
      const { yes, picked } = await page.dialog.ask(CAPTURE_QUESTION);
      if (!yes || !(await page.attempt(() => beginCapture(Number(picked))))) return;
      page.toasts.add("warn", "What is asked and answered is being recorded", `For ${picked} minutes.`);
    },
  };
}

/** @param {KeyView} key @returns {import("../../elements/confirm-dialog.js").Question} */
function revokeQuestion(key) {
  return {
    title: `Revoke the key of ${key.name}?`,
    effects: [
      { kind: "stop", icon: "x", what: "It opens nothing any more.", how: `${key.last_used_on ? `Whoever uses it gets errors; it was last used on ${key.last_used_on}.` : "Nobody used it yet."} Answers that are being written for it are cut off.` },
      { kind: "keep", icon: "ok", what: "All other keys go on as they are." },
    ],
    safe: "Keep it",
    go: "Revoke it",
    tone: "danger-fill",
  };
}

/** @type {import("../../elements/confirm-dialog.js").Question} */
const CAPTURE_QUESTION = {
  title: "Record what is asked and answered?",
  effects: [
    { kind: "wait", icon: "warn", what: "For that time the bodies of all requests are kept here.", how: "Everybody who opens this page sees that. Then all of it is deleted." },
    { kind: "keep", icon: "ok", what: "Nothing that runs is touched." },
  ],
  pick: { label: "For how long", value: "10", options: ["5", "10", "30", "60"].map((minutes) => [minutes, `${minutes} minutes`]) },
  safe: "Do not record",
  go: "Record it",
  tone: "danger-fill",
};
