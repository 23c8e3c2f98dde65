// @ts-check
// Downloads in words: how far, how fast, how long, and what went wrong.

import { diskSize, duration, listed, roughly } from "./format.js";

/** @typedef {import("./types-control.js").DownloadView} DownloadView */
/** @typedef {import("./types-control.js").DownloadPlan} DownloadPlan */
/** @typedef {import("./types-control.js").Downloads} Downloads */
/** @typedef {import("./types.js").Menu} Menu */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types.js").Tone} Tone */

/** @type {Record<string, string>} */
const STEPS = { checking: "Checking", fetching: "Downloading", copying: "Copying to the other Spark", verifying: "Looking whether all is there", done: "Done" };

/** How long a download that went wrong stays in sight. */
const RECENT_MS = 24 * 3600 * 1000;

/** How long the menu may call the rest of a download one that runs: two minutes on the disk, and one until we look. */
const RESTING_MS = 180 * 1000;

/** @param {string} step */
export function downloadStep(step) {
  return STEPS[step] ?? "Downloading";
}

/** @param {DownloadView} download @returns {{tone: Tone, icon: string, word: string}} */
export function downloadPill(download) {
  const word = downloadStep(download.step);
  return { tone: "now", icon: "busy", word: typeof download.percent === "number" ? `${word}, ${Math.floor(download.percent)}\u00a0%` : word };
}

/** `24.9 GB of 60.8 GB · 92 MB/s · about 6 min 30 s left` @param {DownloadView} download */
export function downloadWords(download) {
  const { done_bytes, total_bytes, bytes_per_second, eta_seconds } = download;
  const whole = typeof total_bytes === "number" ? `${diskSize(done_bytes)} of ${diskSize(total_bytes)}` : done_bytes > 0 ? `${diskSize(done_bytes)} so far` : "";
  const speed = typeof bytes_per_second === "number" ? `${diskSize(bytes_per_second)}/s` : "";
  const left = typeof eta_seconds === "number" ? `about ${roughly(eta_seconds)} left` : "";
  return [whole, speed, left].filter(Boolean).join(" · ") || download.message;
}

/** @param {DownloadView} download */
export function downloadTitle(download) {
  const name = download.repo.split("/").at(-1) ?? download.repo;
  const where = listed(download.places.map((place) => place.label));
  return where ? `${name} to ${where}` : name;
}

/**
 * Those that ended badly, lately, and were not tried again since.
 * @param {Downloads|null} downloads @param {readonly string[]} dismissed @param {number} now milliseconds
 */
export function failedDownloads(downloads, dismissed, now) {
  const tried = new Set((downloads?.running ?? []).map((each) => each.repo));
  return (downloads?.recent ?? []).filter((each) => {
    const again = tried.has(each.repo);
    tried.add(each.repo);
    const age = now - Date.parse(each.finished_at ?? each.created_at);
    return each.state === "failed" && !again && !dismissed.includes(each.id) && age < RECENT_MS;
  });
}

/**
 * The model as it is when our own download of it has just stopped: a partial file that was written
 * a moment ago makes a disk say that it is being downloaded.
 * @param {ModelView} model @param {Downloads|null} downloads @param {number} now milliseconds
 * @returns {ModelView}
 */
export function settled(model, downloads, now) {
  if (model.state !== "downloading" || !downloads || downloadOf(model, downloads)) return model;
  const last = downloads.recent.find((each) => isOf(model, each));
  if (!last || last.state === "complete" || now - Date.parse(last.finished_at ?? last.created_at) > RESTING_MS) return model;
  const copies = model.copies.map((copy) => (copy.state === "downloading" ? { ...copy, state: /** @type {const} */ ("incomplete") } : copy));
  const state = !model.source && copies.some((copy) => copy.state === "ready") ? "needs_setup" : "incomplete";
  return { ...model, state, copies };
}

/** The download of a model that runs, if one does. @param {ModelView} model @param {Downloads|null} downloads */
export function downloadOf(model, downloads) {
  return downloads?.running.find((each) => isOf(model, each)) ?? null;
}

/** @param {ModelView} model @param {DownloadView} download */
function isOf(model, download) {
  return download.repo.toLowerCase() === model.repo.toLowerCase();
}

/** The Sparks that shall have it when a download goes on. @param {{places: {host: string}[]}} download */
export function placesOf(download) {
  return download.places.map((place) => place.host);
}

/**
 * Where a model can be downloaded to: each Spark, then all of them together.
 * @param {Menu|null} menu @param {DownloadPlan|null} plan of all Sparks
 * @returns {{hosts: string[], label: string, help: string}[]}
 */
export function targets(menu, plan) {
  const hosts = menu?.hosts ?? [];
  const single = hosts.map((host) => {
    const place = plan?.places.find((each) => each.host === host.name);
    return { hosts: [host.name], label: host.label, help: placeHelp(host, place) };
  });
  if (hosts.length < 2) return single;
  const names = hosts.map((host) => host.name);
  const help = "Needed for models that run on all Sparks together. Loaded once, then copied over the cable between them.";
  return [...single, { hosts: names, label: hosts.length === 2 ? "Both" : "All of them", help }];
}

/** @param {import("./types.js").HostView} host @param {import("./types-control.js").DownloadPlace|undefined} place */
function placeHelp(host, place) {
  if (host.state === "unreachable") return "It cannot be reached now.";
  const free = place?.free_bytes ?? host.disk_free_bytes;
  const after = typeof place?.free_after_bytes === "number" ? `, ${diskSize(place.free_after_bytes)} after` : "";
  const room = typeof free === "number" ? `${diskSize(free)} free${after}.` : "Free space not known.";
  const have = place?.state === "ready" ? " It is there already." : place?.state === "partial" ? ` ${diskSize(place.done_bytes)} are there already.` : "";
  return `${room}${have}${place?.problem ? ` ${place.problem}` : ""}`;
}

/** The button of the dialog. @param {DownloadPlan|null} plan */
export function downloadButton(plan) {
  return typeof plan?.missing_bytes === "number" && plan.missing_bytes > 0 ? `Download ${diskSize(plan.missing_bytes)}` : "Download";
}

/** What the download takes, for the list of effects. @param {DownloadPlan} plan @returns {{what: string, how: string}} */
export function downloadEffect(plan) {
  const how = "Chat keeps working, a little slower. You can cancel and go on later.";
  if (plan.missing_bytes === 0) return { what: "Everything is there already.", how: "" };
  const size = typeof plan.missing_bytes === "number" ? diskSize(plan.missing_bytes) : "The size is not known before it starts";
  const time = typeof plan.eta_seconds === "number" ? `, about ${duration(plan.eta_seconds)} at your usual speed` : "";
  return { what: `${size}${time}.`, how };
}
