// @ts-check
// Questions and commands about recipes, tests, disks, downloads and the model launcher.

import { ask } from "./api.js";

/** @typedef {import("./types-control.js").RecipeForm} RecipeForm */
/** @typedef {import("./types-control.js").Knobs} Knobs */

const BY = "dashboard";
/** vLLM's own parser takes up to a minute on a Spark. */
const SLOW = 90000;

/** @param {string} key */
const named = (key) => encodeURIComponent(key);

/** @param {string} repo @returns {Promise<import("./types-control.js").Suggestion>} */
export const suggestRecipe = (repo) => ask(`api/models/suggest?repo=${named(repo)}`, { patience: 45000 });

/** @param {string} key @returns {Promise<import("./types-control.js").RecipeDetail>} */
export const getRecipe = (key) => ask(`api/models/${named(key)}/recipe`);

/** @param {RecipeForm} form @param {boolean} replace @returns {Promise<import("./types-control.js").RecipeDetail>} */
export const saveRecipe = (form, replace) => ask("api/models", { method: "POST", body: { ...form, replace, requested_by: BY } });

/** @param {string} key */
export const removeRecipe = (key) => ask(`api/models/${named(key)}?requested_by=${BY}`, { method: "DELETE" });

/** @param {string} key @param {{knobs?: Knobs, flags?: string[], reset?: boolean}} wanted @returns {Promise<import("./types-control.js").RecipeDetail>} */
export const setKnobs = (key, wanted) => ask(`api/models/${named(key)}/knobs`, { method: "PUT", body: { ...wanted, requested_by: BY } });

/** @param {{recipe?: RecipeForm, model?: string, knobs?: Knobs, flags?: string[]}} wanted @returns {Promise<import("./types-control.js").Preview>} */
export const previewRecipe = (wanted) => ask("api/recipes/preview", { method: "POST", body: wanted });

/** @returns {Promise<{flags: import("./types-control.js").FlagHelp[]}>} */
export const listFlags = () => ask("api/recipes/flags");

/** @param {boolean} refresh @returns {Promise<import("./types-control.js").Templates>} */
export const listTemplates = (refresh) => ask(`api/recipes/templates?refresh=${refresh}`, { patience: 45000 });

/** @param {string} name @param {boolean} replace @returns {Promise<import("./types-control.js").RecipeDetail>} */
export const importTemplate = (name, replace) => ask("api/recipes/templates/import", { method: "POST", body: { name, replace, requested_by: BY }, patience: 45000 });

/** @param {string} key @param {{knobs?: Knobs, flags?: string[]}} [changes] @returns {Promise<import("./types-control.js").Validation>} */
export const validateModel = (key, changes = {}) => ask(`api/swap/${named(key)}/validate`, { method: "POST", body: changes, patience: SLOW });

/** @param {string} key */
export const clearQuarantine = (key) => ask(`api/models/${named(key)}/quarantine?requested_by=${BY}`, { method: "DELETE" });

/** Of all Sparks. @param {string} key @returns {Promise<import("./types-control.js").DeletePlan>} */
export const planDelete = (key) => ask(`api/models/${named(key)}/disk`, { patience: 45000 });

/** @param {string} key @param {string[]} hosts  None: everywhere. @returns {Promise<any>} */
export const deleteFromDisk = (key, hosts) => ask(`api/models/${named(key)}/disk?${[`requested_by=${BY}`, ...hosts.map((host) => `host=${named(host)}`)].join("&")}`, { method: "DELETE", patience: SLOW });

/** @param {string} repo @param {string[]} hosts @returns {Promise<import("./types-control.js").DownloadPlan>} */
export const planDownload = (repo, hosts) => ask("api/downloads/plan", { method: "POST", body: { repo, hosts }, patience: 45000 });

/** @param {string} repo @param {string[]} hosts @param {string} key @returns {Promise<import("./types-control.js").DownloadView>} */
export const startDownload = (repo, hosts, key) => ask("api/downloads", { method: "POST", body: { repo, hosts, requested_by: BY }, headers: { "idempotency-key": key }, patience: 45000 });

/** @param {string} id @returns {Promise<import("./types-control.js").DownloadView>} */
export const cancelDownload = (id) => ask(`api/downloads/${named(id)}`, { method: "DELETE" });

/** @param {string} id @returns {Promise<{lines: string[], complete: boolean}>} */
export const downloadLog = (id) => ask(`api/downloads/${named(id)}/log`);

/** @param {boolean} refresh @returns {Promise<import("./types-control.js").Updates>} */
export const getUpdates = (refresh) => ask(`api/updates?refresh=${refresh}`, { patience: SLOW });

/** @param {"apply"|"revert"} what @param {string} key @returns {Promise<import("./types-control.js").UpdateView>} */
export const startUpdate = (what, key) => ask(`api/updates/${what}`, { method: "POST", body: { requested_by: BY }, headers: { "idempotency-key": key }, patience: 45000 });

/** @param {string} id @returns {Promise<import("./types-control.js").UpdateView>} */
export const cancelUpdate = (id) => ask(`api/updates/jobs/${named(id)}`, { method: "DELETE" });

/** @param {string} id @returns {Promise<{lines: string[], complete: boolean}>} */
export const updateLog = (id) => ask(`api/updates/jobs/${named(id)}/log`);
