// @ts-check
// What a reader wants of the settings: see them, change them, take everything out and in.

import { changeSettings, exportState, getSettings, importState } from "../api-owner.js";
import { changeRows, importedWords } from "../owner-settings.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */

const LARGEST_BYTES = 5_000_000;

/** @param {Acting} page @returns {Wishes} */
export function settings(page) {
  const dialog = /** @type {import("../elements/settings-dialog.js").SettingsDialog} */ (document.querySelector("settings-dialog"));
  const transfer = /** @type {import("../elements/transfer-dialog.js").TransferDialog} */ (document.querySelector("transfer-dialog"));

  const read = async () => {
    const here = dialog.meanwhile();
    const said = await page.attempt(getSettings, (why) => here(() => dialog.refused(why)));
    if (said) here(() => dialog.know(said));
  };

  return {
    "open-settings": () => {
      dialog.begin();
      return read();
    },
    "read-settings": read,
    "save-settings": async ({ changes }) => {
      const here = dialog.meanwhile();
      dialog.busy = true;
      const said = await page.attempt(() => changeSettings(changes), (why) => here(() => dialog.refused(why), () => page.refused(why)));
      here(() => {
        dialog.busy = false;
        if (said) dialog.saved(said);
        if (said) page.say("known", { name: "settings", value: said });
      }, () => said && page.toasts.add("ok", "The settings are saved"));
    },
    "open-transfer": () => transfer.begin(),
    "export-state": async ({ passphrase }) => {
      const here = transfer.meanwhile();
      transfer.busy = true;
      transfer.done([]);
      const state = await page.attempt(() => exportState(passphrase), (why) => here(() => transfer.note("bad", why.message), () => page.refused(why)));
      here(() => {
        transfer.busy = false;
        if (!state) return;
        save(`spark-control-${String(state.exported_at).slice(0, 10)}.json`, JSON.stringify(state, null, 2));
        transfer.note("ok", "The file is saved by your browser.");
        transfer.done((state.missing_secrets ?? []).map((/** @type {string} */ name) => `Not in it: ${name}. Export with a passphrase to have it too.`));
      });
    },
    "import-state": async ({ file, passphrase }) => {
      const here = transfer.meanwhile();
      const document = await contentOf(file);
      if (document === null) return here(() => transfer.note("bad", "This is not a file that was exported here."));
      const taken = async (/** @type {boolean} */ only, /** @type {string} */ words) => {
        here(() => {
          transfer.busy = true;
          transfer.done([]);
          transfer.note("now", words);
        });
        const said = await page.attempt(() => importState(document, passphrase, only), (why) => here(() => transfer.note("bad", why.message), () => page.refused(why)));
        here(() => {
          transfer.busy = false;
        });
        return said;
      };
      const foreseen = await taken(true, "Looking at what it would change.");
      if (!foreseen || !transfer.dialog.open) return undefined;
      transfer.done(foreseen.warnings);
      if (foreseen.changes.length === 0) return transfer.note("ok", "Nothing to take in: everything in it is here already.");
      transfer.note("idle", "");
      const { yes } = await page.dialog.ask(importQuestion(file.name, document, foreseen));
      if (!yes) return undefined;
      const done = await taken(false, "Taking it in.");
      here(() => {
        if (!done) return;
        transfer.note(done.warnings.length > 0 ? "warn" : "ok", `Taken in: ${importedWords(done).join(", ")}.`);
        transfer.done(done.warnings);
        if (dialog.dialog.open) read();
      }, () => done && page.toasts.add("ok", "The file is taken in", `${importedWords(done).join(", ")}.`));
      return undefined;
    },
  };
}

/** The document in a file; null when it is none. @param {File} file @returns {Promise<any>} */
async function contentOf(file) {
  if (file.size > LARGEST_BYTES) return null;
  try {
    const found = JSON.parse(await file.text());
    return found?.product === "spark-control" ? found : null;
  } catch {
    return null;
  }
}

/** @param {string} name @param {any} document @param {import("../types-owner.js").Imported} foreseen @returns {import("../elements/confirm-dialog.js").Question} */
function importQuestion(name, document, foreseen) {
  const when = typeof document.exported_at === "string" ? `It is of ${document.exported_at.slice(0, 10)}.` : "";
  return {
    title: `Take in ${name}?`,
    rows: changeRows(foreseen.changes),
    columns: ["What", "Becomes"],
    effects: [
      { kind: "stop", icon: "warn", what: `${foreseen.changes.length === 1 ? "One thing changes" : `${foreseen.changes.length} things change`}.`, how: `What is replaced is in no other file unless you export first. ${when}`.trim() },
      { kind: "keep", icon: "ok", what: "Nothing that runs is touched.", how: "What the file does not name stays." },
    ],
    safe: "Leave it as it is",
    go: "Take it in",
    tone: "danger-fill",
  };
}

/** Hand a file to the reader. @param {string} name @param {string} text */
function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
