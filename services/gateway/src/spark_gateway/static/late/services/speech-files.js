// @ts-check
// Our two files in the speech container: whether they are ours, and what puts them back.

import { cloned, keyed, part, say, sayOrHide, setPill, show, wish } from "../../dom.js";
import { asSentence, dayTime, listed } from "../../format.js";
import { caredFor } from "../../reduce-care.js";
import { filePill, filesPill, shortHash, speechWords } from "./care.js";
import { currency } from "./tiles.js";

/** @typedef {import("../../types.js").View} View */

const TITLES = { reapply: "Putting our speech files in place", undo: "Bringing back what was there before", restart: "Restarting the speech container" };

export class SpeechFiles extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-speech-files"));
    for (const what of ["reapply", "undo", "restart"]) part(this, what).addEventListener("click", () => wish(this, "change-speech", { what }));
  }

  /** @param {View} view */
  set view(view) {
    const { state, now } = view;
    const known = state.known.speech;
    const speech = known?.value;
    show(this, known !== undefined);
    if (!known) return;
    const late = now - known.at > 90_000 || state.link !== "live" || currency(state, "services", now).old;
    const files = /** @type {any[]} */ (speech?.files ?? []);
    setPill(part(this, "pill"), filesPill(files, late || !speech));
    sayOrHide(part(this, "problem"), known.problem ? `As it was asked last: ${known.problem}` : null);
    for (const name of ["table", "reapply", "restart"]) show(part(this, name), Boolean(speech));
    show(part(this, "undo"), Boolean(speech?.undo));
    if (!speech) return;
    this.firstElementChild?.toggleAttribute("data-old", late);
    say(part(this, "health"), speechWords(speech));
    keyed(part(this, "rows"), files, (file) => file.name, () => /** @type {HTMLElement} */ (cloned("t-speech-file").firstElementChild), (row, file) => {
      say(part(row, "name"), file.name);
      setPill(part(row, "pill"), filePill(file.state, late));
      say(part(row, "ours"), shortHash(file.shipped_sha256));
      say(part(row, "theirs"), shortHash(file.container_sha256));
      part(row, "ours").title = file.shipped_sha256 ?? "";
      part(row, "theirs").title = file.container_sha256 ?? "";
    });
    const blockers = /** @type {string[]} */ (speech.blockers);
    const running = speech.job?.state === "running" && caredFor(speech.job, state.care)?.state === "running";
    for (const name of ["reapply", "undo", "restart"]) part(this, name).disabled = late || running || speech.host === null || blockers.length > 0;
    const none = speech.host === null ? ["It runs on a machine that is no Spark: nothing can be changed from here."] : [];
    sayOrHide(part(this, "why"), [...none, ...blockers].map(asSentence).join(" "));
    const drifted = files.some((file) => file.state !== "in_sync");
    part(this, "reapply").className = drifted ? "btn primary" : "btn";
    sayOrHide(part(this, "kept"), speech.undo ? `Kept ${dayTime(speech.undo.kept_at, now)}: ${listed(speech.undo.files) || "there was none"}.` : null);
    const job = caredFor(speech.job, state.care);
    part(this, "job").job = job ? { kind: "speech", title: TITLES[/** @type {keyof typeof TITLES} */ (job.action)] ?? "Speech container", job, view } : null;
  }
}
