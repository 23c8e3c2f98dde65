// @ts-check
// Downloads that run, and those that went wrong lately, above the cards.

import { cloned, keyed, part, say, sayOrHide, setBadge, setButton, show, wish } from "../dom.js";
import { downloadStep, downloadTitle, downloadWords, failedDownloads, placesOf } from "../downloading.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../types-control.js").DownloadView} DownloadView */

export class DownloadList extends HTMLElement {
  /** @param {View} view */
  set view({ state, now }) {
    const running = state.downloads?.running ?? [];
    const failed = failedDownloads(state.downloads, state.dismissed, now);
    show(this, running.length + failed.length > 0);
    keyed(this, [...running, ...failed], (download) => download.id, () => this.#make(), (box, download) => {
      box.download = download;
      const live = download.state === "running";
      this.#words(box, download, live);
      show(part(box, "more"), live);
      const bar = part(box, "bar");
      if (typeof download.percent === "number") bar.value = Math.floor(download.percent);
      else bar.removeAttribute("value");
      setButton(part(box, "go"), live ? "Cancel…" : "Resume", live ? "x" : "down");
      part(box, "go").className = live ? "btn danger" : "btn";
      part(box, "go").disabled = state.link !== "live";
      show(part(box, "dismiss"), !live);
    });
  }

  /** @param {HTMLElement} box @param {DownloadView} download @param {boolean} live */
  #words(box, download, live) {
    box.className = live ? "notice" : "notice bad";
    setBadge(part(box, "badge"), live ? "now" : "bad", live ? "down" : "bad");
    const name = downloadTitle(download);
    const title = live ? `${downloadStep(download.step)}: ${name}` : `The download of ${name} stopped`;
    say(part(box, "title"), title);
    part(box, "title").id = `download-${download.id}`;
    box.setAttribute("aria-labelledby", `download-${download.id}`);
    const percent = typeof download.percent === "number" ? `${Math.floor(download.percent)}\u00a0% · ` : "";
    const cause = download.cause ? `${download.cause.sentence} ${download.cause.action}` : download.message;
    sayOrHide(part(box, "text"), live ? percent + downloadWords(download) : cause || "The reason was not said.");
  }

  #make() {
    const box = /** @type {any} */ (cloned("t-download").firstElementChild);
    part(box, "go").addEventListener("click", () => {
      const { id, repo, state } = box.download;
      if (state === "running") wish(this, "cancel-download", { id });
      else wish(this, "resume-download", { repo, hosts: placesOf(box.download) });
    });
    part(box, "log").addEventListener("click", () => wish(this, "open-log", { kind: "download", id: box.download.id, name: downloadTitle(box.download) }));
    part(box, "dismiss").addEventListener("click", () => wish(this, "dismiss-failure", { id: box.download.id }));
    return box;
  }
}
