// @ts-check
// What a reader wants of files: download, go on with a download, cancel one, delete.

import { cancelDownload, deleteFromDisk, planDelete, planDownload, startDownload } from "../api-models.js";
import { newKey } from "../api.js";
import { downloadTitle } from "../downloading.js";
import { diskSize, listed } from "../format.js";
import { cancelDownloadQuestion, deleteQuestion } from "../questions-disk.js";
import { latest } from "./acting.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */
/** @typedef {import("../api.js").Refusal} Refusal */
/** @typedef {import("../types-control.js").DownloadPlan} DownloadPlan */
/** @typedef {import("../elements/download-dialog.js").DownloadDialog} DownloadDialog */
/** @typedef {{repo: string, hosts: string[], everywhere: DownloadPlan|null}} Choice  `everywhere`: the plan of all Sparks, once known. */

const PAUSE_MS = 350;

/**
 * @param {Acting} page
 * @param {Set<string>} mine  Downloads that were started in this page.
 * @returns {Wishes}
 */
export function files(page, mine) {
  const dialog = /** @type {DownloadDialog} */ (document.querySelector("download-dialog"));
  const plan = latest(
    dialog,
    PAUSE_MS,
    (/** @type {Choice} */ wanted) => plans(page, wanted),
    ([chosen, everywhere]) => dialog.planned(chosen, everywhere),
    (why) => dialog.unplanned(why.message),
  );
  const start = async (/** @type {{repo: string, hosts: string[], key: string}} */ { repo, hosts, key }, /** @type {(why: Refusal) => void} */ refused) => {
    const view = await page.attempt(() => startDownload(repo, hosts, key), refused);
    if (!view) return false;
    mine.add(view.id);
    page.say("download.view", view);
    page.toasts.add("ok", "The download has started", downloadTitle(view));
    return true;
  };
  /** Repositories that are asked for right now: pressed twice, it is one download. @type {Set<string>} */
  const resuming = new Set();
  return {
    "open-download": (wanted) => dialog.begin(page.state.menu, wanted),
    "plan-download": plan,
    "start-download": async (wanted) => {
      const here = dialog.meanwhile();
      dialog.starting();
      if (await start(wanted, (why) => here(() => dialog.refused(why.message), () => page.refused(why)))) here(() => dialog.close());
    },
    "resume-download": async ({ repo, hosts }) => {
      if (resuming.has(repo)) return;
      resuming.add(repo);
      try {
        await start({ repo, hosts, key: newKey() }, (why) => page.refused(why));
      } finally {
        resuming.delete(repo);
      }
    },
    "cancel-download": ({ id }) => askToCancel(page, id),
    "delete-model": (wanted) => askToDelete(page, wanted),
  };
}

/** Of the choice, and of all Sparks. @param {Acting} page @param {Choice} choice @returns {Promise<[DownloadPlan, DownloadPlan]>} */
async function plans(page, { repo, hosts, everywhere }) {
  const all = page.state.menu?.hosts.map((host) => host.name) ?? [];
  const whole = everywhere ?? planDownload(repo, all);
  return Promise.all([hosts.length === all.length ? whole : planDownload(repo, hosts), whole]);
}

/** @param {Acting} page @param {string} id */
async function askToCancel(page, id) {
  const download = page.state.downloads?.running.find((each) => each.id === id);
  if (!download) return;
  const { yes } = await page.dialog.ask(cancelDownloadQuestion(download));
  const view = yes ? await page.attempt(() => cancelDownload(id)) : null;
  if (!view) return;
  page.say("download.view", view);
  page.toasts.add("ok", "Cancelling the download", "What is there already stays.");
}

/** @param {Acting} page @param {{key: string, hosts?: string[]}} wanted  `hosts`: only there. */
async function askToDelete(page, { key, hosts = [] }) {
  const model = page.model(key);
  if (!model) return;
  const question = (/** @type {import("../types-control.js").DeletePlan|null} */ plan) => deleteQuestion(model, page.state, plan, hosts);
  const asked = page.dialog.ask(question(null));
  page.attempt(() => planDelete(key), (why) => page.dialog.amend({ ...question(null), blocked: why.message }, asked))
    .then((plan) => plan && page.dialog.amend(question(plan), asked));
  if (!(await asked).yes) return;
  const gone = await page.attempt(() => deleteFromDisk(key, hosts));
  if (!gone) return;
  const where = hosts.length > 0 ? ` from ${listed(gone.places.map((/** @type {any} */ place) => place.label))}` : "";
  if (gone.complete) page.toasts.add("ok", `${model.name} is deleted${where}`, `${diskSize(gone.freed_bytes)} are free again.`);
  else {
    const left = gone.places.filter((/** @type {any} */ place) => place.problem).map((/** @type {any} */ place) => `${place.label}: ${place.problem}`);
    page.toasts.add("bad", `${model.name} is not gone everywhere`, left.join(" "));
  }
}
