// @ts-check
// What a reader wants of files: download, go on with a download, cancel one, delete.

import { cancelDownload, deleteFromDisk, planDelete, planDownload, startDownload } from "../api-models.js";
import { newKey } from "../api.js";
import { downloadTitle } from "../downloading.js";
import { diskSize } from "../format.js";
import { cancelDownloadQuestion, deleteQuestion } from "../questions-disk.js";
import { latest } from "./acting.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */
/** @typedef {import("../elements/download-dialog.js").DownloadDialog} DownloadDialog */

const PAUSE_MS = 350;

/**
 * @param {Acting} page
 * @param {Set<string>} mine  Downloads that were started in this page.
 * @returns {Wishes}
 */
export function files(page, mine) {
  const dialog = /** @type {DownloadDialog} */ (document.querySelector("download-dialog"));
  const all = () => page.state.menu?.hosts.map((host) => host.name) ?? [];
  const plan = latest(
    dialog,
    PAUSE_MS,
    (/** @type {{repo: string, hosts: string[]}} */ { repo, hosts }) => Promise.all([planDownload(repo, hosts), planDownload(repo, all())]),
    ([chosen, everywhere]) => dialog.planned(chosen, everywhere),
    (why) => dialog.unplanned(why.message),
  );
  return {
    "open-download": (wanted) => dialog.begin(page.state.menu, wanted),
    "plan-download": plan,
    "start-download": (wanted) => start(page, wanted, mine, dialog),
    "resume-download": (wanted) => start(page, wanted, mine, null),
    "cancel-download": ({ id }) => askToCancel(page, id),
    "delete-model": ({ key }) => askToDelete(page, key),
  };
}

/** @param {Acting} page @param {{repo: string, hosts: string[]}} wanted @param {Set<string>} mine @param {DownloadDialog|null} dialog */
async function start(page, { repo, hosts }, mine, dialog) {
  const view = await page.attempt(() => startDownload(repo, hosts, newKey()), dialog ? (why) => dialog.unplanned(why.message) : undefined);
  if (!view) return;
  mine.add(view.id);
  dialog?.close();
  page.say("download.view", view);
  page.toasts.add("ok", "The download has started", downloadTitle(view));
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

/** @param {Acting} page @param {string} key */
async function askToDelete(page, key) {
  const model = page.model(key);
  if (!model) return;
  const asked = page.dialog.ask(deleteQuestion(model, page.state, null));
  page.attempt(() => planDelete(key), (why) => page.dialog.amend({ ...deleteQuestion(model, page.state, null), blocked: why.message }, asked))
    .then((plan) => plan && page.dialog.amend(deleteQuestion(model, page.state, plan), asked));
  if (!(await asked).yes) return;
  const gone = await page.attempt(() => deleteFromDisk(key));
  if (!gone) return;
  if (gone.complete) page.toasts.add("ok", `${model.name} is deleted`, `${diskSize(gone.freed_bytes)} are free again.`);
  else {
    const left = gone.places.filter((/** @type {any} */ place) => place.problem).map((/** @type {any} */ place) => `${place.label}: ${place.problem}`);
    page.toasts.add("bad", `${model.name} is not gone everywhere`, left.join(" "));
  }
}
