// @ts-check
// The model launcher's updates in words: what is pending, what runs, what went wrong, what can be pressed.

import { ago, capital, count, listed, roughly } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types-control.js").Updates} Updates */
/** @typedef {import("./types-control.js").UpdateView} UpdateView */
/** @typedef {import("./elements/confirm-dialog.js").Question} Question */
/**
 * @typedef {object} UpdateLook
 * @property {"pending"|"running"|"failed"|"done"} kind
 * @property {"now"|"bad"|"ok"} tone
 * @property {string} icon
 * @property {string} title
 * @property {string} text
 * @property {string} why  Why it cannot be updated now, for beside the button that is off.
 * @property {string} apply  Word of the button, or nothing.
 * @property {boolean} revert
 * @property {number|null} percent
 * @property {string[]} evidence
 * @property {{sha: string, subject: string, body: string}[]} commits
 */

const WHAT = "This is spark-vllm-docker, the program that starts models on your Sparks. Not firmware, not the operating system, not the models.";

const LOOK = "Look for updates of the launcher";
const NOT_ASKED = `remote not asked yet: press “${LOOK}”`;

/** How long an update that went well offers the way back. */
const DONE_MS = 24 * 3600 * 1000;

/** @type {Record<string, string>} */
const STEPS = {
  checking: "Checking", pulling: "Getting the new version", building: "Building the image", saving: "Putting the old image aside",
  copying: "Copying to the other Spark", verifying: "Looking whether it works", reverting: "Going back", done: "Done",
};

/** @param {string} step */
export function updateStep(step) {
  return STEPS[step] ?? step;
}

/** Commits that are not on the Sparks yet, newest first, each once. @param {Updates} updates */
export function pendingCommits(updates) {
  const all = updates.checkouts.flatMap((checkout) => checkout.commits);
  return all.filter((commit, index) => all.findIndex((each) => each.sha === commit.sha) === index);
}

/** @param {Updates} updates */
function behind(updates) {
  return Math.max(0, ...updates.checkouts.map((checkout) => checkout.behind ?? checkout.commits.length));
}

/** How much the comparison is worth. @param {Updates} updates @param {number} now milliseconds */
function askedWords(updates, now) {
  const times = updates.checkouts.filter((checkout) => typeof checkout.behind === "number").map((checkout) => checkout.fetched_at);
  const known = times.filter((time) => typeof time === "string");
  if (known.length === 0 || known.length < times.length) return "";
  return `asked the remote ${ago(Math.min(...known.map((time) => Date.parse(time))), now)}`;
}

/** @param {number} number */
function many(number) {
  return `${count(number)} ${number === 1 ? "update" : "updates"}`;
}

/**
 * What the banner shows; null when there is nothing to say.
 * @param {Updates|null} updates @param {readonly string[]} dismissed @param {number} now milliseconds
 * @returns {UpdateLook|null}
 */
export function updateLook(updates, dismissed, now) {
  if (!updates) return null;
  const { job } = updates;
  const commits = pendingCommits(updates);
  const number = behind(updates);
  const why = updates.can_apply ? "" : updates.blockers.join(" ");
  const base = { why, commits, revert: updates.can_revert, percent: null, evidence: [], apply: number > 0 ? "Update…" : "" };
  if (job?.state === "running") return { ...base, ...runningLook(job), why: "", apply: "", revert: false };
  if (job?.state === "failed" && !dismissed.includes(job.id)) {
    const back = job.direction === "revert";
    const said = job.cause ? `${job.cause.sentence} ${job.cause.action}` : job.message || "The reason was not said.";
    return {
      ...base,
      kind: "failed",
      tone: "bad",
      icon: "bad",
      title: back ? "Going back to the version before did not work" : "The update of the model launcher did not work",
      text: said,
      apply: base.apply && "Try again…",
      evidence: job.cause?.evidence ?? [],
    };
  }
  if (number > 0) return { ...base, kind: "pending", tone: "now", icon: "down", title: `${many(number)} of the model launcher`, text: `${WHAT} ${capital(askedWords(updates, now) || NOT_ASKED)}.` };
  const fresh = job?.state === "complete" && now - Date.parse(job.finished_at ?? job.created_at) < DONE_MS;
  if (!job || !fresh || !updates.can_revert || job.direction === "revert" || dismissed.includes(job.id)) return null;
  return { ...base, kind: "done", tone: "ok", icon: "check", title: "The model launcher was updated", text: "The new version is used from the next swap on." };
}

/** The button that looks, with how old the last look is. @param {Updates|null} updates @param {number} now milliseconds */
export function lookLabel(updates, now) {
  return updates ? `${LOOK} (${askedWords(updates, now) || "remote not asked yet"})` : LOOK;
}

/** What a look for updates found. @param {Updates} updates @param {number} now milliseconds @returns {{tone: "ok"|"bad", title: string, text: string}} */
export function lookedWords(updates, now) {
  const problem = updates.checkouts.find((checkout) => checkout.problem)?.problem;
  if (problem) return { tone: "bad", title: "Could not look everywhere", text: problem };
  const number = behind(updates);
  if (number > 0) return { tone: "ok", title: `${many(number)} of the model launcher`, text: "They stand above the models." };
  const asked = askedWords(updates, now);
  return asked
    ? { tone: "ok", title: "The model launcher is up to date", text: `${capital(asked)}.` }
    : { tone: "bad", title: "Nobody asked for news of the model launcher", text: `${capital(NOT_ASKED)}.` };
}

/** @param {UpdateView} job */
function runningLook(job) {
  const left = typeof job.eta_seconds === "number" ? `about ${roughly(job.eta_seconds)} left` : "";
  const percent = typeof job.percent === "number" ? `${Math.floor(job.percent)}\u00a0%` : "";
  return {
    kind: /** @type {const} */ ("running"),
    tone: /** @type {const} */ ("now"),
    icon: "busy",
    title: job.direction === "revert" ? "Going back to the version before" : "Updating the model launcher",
    text: [updateStep(job.step), percent, left, job.message].filter(Boolean).join(" · "),
    percent: job.percent ?? null,
  };
}

/** Whether the launcher is being updated, or goes back: a swap waits until that is over. @param {State} state */
export function isUpdating(state) {
  return state.updates?.job?.state === "running";
}

/** Who would explain: the loaded model. @param {State} state @returns {string} */
export function whyNotExplained(state) {
  if (state.link !== "live") return "No connection to spark-control.";
  const serves = state.menu?.runtime.state === "serving" || state.menu?.runtime.state === "degraded";
  if (!serves || state.swaps?.current) return "Explaining needs a loaded model.";
  return "";
}

/** @param {Updates} updates @returns {Question} */
export function applyQuestion(updates) {
  const labels = updates.checkouts.filter((checkout) => checkout.present).map((checkout) => checkout.label);
  return {
    title: "Update the model launcher?",
    effects: [
      { kind: "wait", icon: "clock", what: "5 to 40 minutes.", how: "The loaded model keeps answering, but you cannot swap meanwhile." },
      { kind: "keep", icon: "ok", what: "The new version is used from the next swap on.", how: labels.length > 1 ? `It is built once and copied to ${listed(labels.slice(1))}.` : "" },
      { kind: "keep", icon: "restart", what: "The old version is kept.", how: "One press goes back to it." },
    ],
    safe: "Not now",
    go: "Update",
    tone: "primary",
  };
}

/** @returns {Question} */
export function revertQuestion() {
  return {
    title: "Go back to the version before?",
    effects: [
      { kind: "wait", icon: "clock", what: "It takes a moment.", how: "The loaded model keeps answering, but you cannot swap meanwhile." },
      { kind: "keep", icon: "ok", what: "The old version is used from the next swap on.", how: "The update can be made again later." },
    ],
    safe: "Keep the new one",
    go: "Go back",
    tone: "primary",
  };
}

/** @param {UpdateView} job @returns {Question} */
export function cancelUpdateQuestion(job) {
  return {
    title: job.direction === "revert" ? "Cancel going back?" : "Cancel the update?",
    effects: [
      { kind: "stop", icon: "stop", what: `“${updateStep(job.step)}” stops.`, how: "What was built so far is not used." },
      { kind: "keep", icon: "ok", what: "What was in use before stays in use.", how: "The loaded model is not touched." },
    ],
    safe: "Let it go on",
    go: job.direction === "revert" ? "Cancel going back" : "Cancel the update",
    tone: "danger-fill",
  };
}
