// @ts-check
// Questions and commands about what the owner edits: settings and the whole state.

import { ask } from "./api.js";
import { signature } from "./whoami.js";

/** @returns {Promise<import("./types-owner.js").SettingsView>} */
export const getSettings = () => ask("api/settings");

/** @param {import("./types-owner.js").Changes} changes @returns {Promise<import("./types-owner.js").SettingsView>} */
export const changeSettings = (changes) => ask("api/settings", { method: "POST", body: { ...changes, requested_by: signature() } });

/** @param {string} passphrase  Empty: secrets are left out. @returns {Promise<any>} */
export const exportState = (passphrase) => ask("api/state/export", { method: "POST", body: passphrase ? { passphrase } : {} });

/** @param {any} document @param {string} passphrase @param {boolean} [only] Only say what would change. @returns {Promise<import("./types-owner.js").Imported>} */
export const importState = (document, passphrase, only = false) => ask("api/state/import", {
  method: "POST", patience: 45000,
  body: { document, requested_by: signature(), ...(passphrase ? { passphrase } : {}), ...(only ? { dry_run: true } : {}) },
});
