// @ts-check
// The wording of the questions about files and recipes: what is freed, what is kept, what it takes to get it back.

import { diskSize, listed } from "./format.js";
import { downloadTitle } from "./downloading.js";
import { servingName } from "./menu.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").ModelView} ModelView */
/** @typedef {import("./types-control.js").DeletePlan} DeletePlan */
/** @typedef {import("./types-control.js").DownloadView} DownloadView */
/** @typedef {import("./elements/confirm-dialog.js").Question} Question */
/** @typedef {import("./elements/confirm-dialog.js").Effect} Effect */

/** @param {import("./types-control.js").DeletePlace} place @returns {{label: string, value: string, note: string}} */
function row(place) {
  const after = typeof place.free_after_bytes === "number" ? `, then ${diskSize(place.free_after_bytes)} free` : "";
  const notes = [
    place.shared_bytes > 0 ? `${diskSize(place.shared_bytes)} stay: another model uses the same files.` : "",
    place.root_owned ? "Some files belong to root; a container removes them." : "",
    place.stale ? "It did not answer lately; this is as last seen." : "",
  ];
  return { label: place.label, value: `${diskSize(place.frees_bytes)} freed${after}`, note: notes.filter(Boolean).join(" ") };
}

/**
 * @param {ModelView} model
 * @param {State} state
 * @param {DeletePlan|null} plan  Null while the disks are being looked at.
 * @param {string[]} [only]  On these Sparks; everywhere unless given.
 * @returns {Question}
 */
export function deleteQuestion(model, state, plan, only = []) {
  const hosts = state.menu?.hosts ?? [];
  const meant = (/** @type {{host: string}} */ { host }) => only.length === 0 || only.includes(host);
  const copies = model.copies.filter(meant);
  const places = (plan?.places ?? []).filter(meant);
  const total = plan ? places.reduce((sum, place) => sum + place.frees_bytes, 0) : copies.reduce((sum, copy) => sum + copy.size_bytes, 0);
  const others = hosts.filter((host) => !places.some((place) => place.host === host.name));
  const stays = (/** @type {string} */ host) => plan?.places.some((place) => place.host === host);
  const serving = servingName(state.menu);
  const blockers = plan?.blockers ?? [];
  /** @type {Effect[]} */
  const effects = blockers.length > 0
    ? blockers.map((blocker) => ({ kind: "stop", icon: "bad", what: blocker }))
    : [
        { kind: "keep", icon: "ok", what: "Nothing stops now.", how: serving ? `${serving} keeps serving.` : "" },
        ...(plan?.notes ?? []).map((note) => /** @type {Effect} */ ({ kind: "keep", icon: "info", what: "", how: note })),
      ];
  return {
    title: `Delete ${model.name} from disk?`,
    rows: plan
      ? [...places.map(row), ...others.map((host) => ({ label: host.label, value: stays(host.name) ? "stays" : "not there", note: "" }))]
      : copies.map((copy) => ({
          label: hosts.find((host) => host.name === copy.host)?.label ?? copy.host,
          value: `${diskSize(copy.size_bytes)}, being looked at`,
          note: "",
        })),
    effects,
    safe: "Keep it",
    go: `Delete ${diskSize(total)}`,
    tone: "danger-fill",
    blocked: plan === null ? "Looking at the disks" : blockers.length > 0 ? "Not possible now" : "",
  };
}

/** @param {ModelView} model @returns {Question} */
export function removeQuestion(model) {
  const local = Boolean(model.local_path);
  return {
    title: local ? `Take ${model.name} off the list?` : `Remove the recipe of ${model.name}?`,
    effects: [
      { kind: "stop", icon: "x", what: "Its settings are gone.", how: local ? "To have it back, add it again." : "The model needs setup again before it can be loaded." },
      { kind: "keep", icon: "ok", what: "The files stay on the disks.", how: "Nothing that runs is touched." },
    ],
    safe: "Keep it",
    go: local ? "Take it off the list" : "Remove the recipe",
    tone: "danger-fill",
  };
}

/** @param {import("./types-control.js").Template} template @param {string} name  Of our recipe. @returns {Question} */
export function replaceQuestion(template, name) {
  return {
    title: `Use the launcher's recipe for ${name}?`,
    effects: [
      { kind: "stop", icon: "x", what: `The recipe of ${name} is replaced.`, how: "What you changed in it under Advanced is gone." },
      { kind: "keep", icon: "ok", what: "Nothing that runs is touched.", how: `“${template.title || template.name}” is used from the next time it is loaded.` },
    ],
    safe: "Keep ours",
    go: "Use the launcher's",
    tone: "primary",
  };
}

/** @param {ModelView} model @param {State} state @returns {Question} */
export function quarantineQuestion(model, state) {
  const quarantine = model.quarantine;
  const host = state.menu?.hosts.find((each) => each.name === quarantine?.host)?.label ?? "a Spark";
  return {
    title: `Let ${model.name} load again?`,
    effects: [
      { kind: "stop", icon: "warn", what: "Last time it took a Spark down.", how: quarantine?.reason ?? "" },
      { kind: "wait", icon: "clock", what: `It may happen again.`, how: `${host} may then have to be switched off and on by hand. Give it less memory under Advanced first.` },
      { kind: "keep", icon: "ok", what: "Nothing is loaded now.", how: "You press “Switch to this…” when you want it." },
    ],
    safe: "Leave it",
    go: "Let it load again",
    tone: "danger-fill",
  };
}

/** @param {DownloadView} download @returns {Question} */
export function cancelDownloadQuestion(download) {
  const where = listed(download.places.map((place) => place.label));
  return {
    title: "Cancel the download?",
    effects: [
      { kind: "stop", icon: "stop", what: `${downloadTitle(download)} stops.`, how: where ? `What is on ${where} already stays there.` : "What is there already stays." },
      { kind: "keep", icon: "ok", what: "You can go on later.", how: "“Resume download” fetches only what is missing." },
    ],
    safe: "Let it go on",
    go: "Cancel the download",
    tone: "danger-fill",
  };
}
