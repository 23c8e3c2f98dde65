// @ts-check
// The steps of installing a service, updating the bridge and caring for the speech files, in words.

import { duration } from "../../format.js";

/** @typedef {{label: string, state: "done"|"now"|"todo"|"fail", time: string}} Step */

/** @type {Record<string, [string, string][]>} */
const PLANS = {
  nim: [["checking", "Check"], ["pulling", "Download"], ["preparing", "Prepare volume"], ["starting", "Start"], ["waiting", "Wait for health"]],
  bridge: [["fetching", "Fetch"], ["building", "Build"], ["starting", "Start"], ["checking", "See that it stays"]],
  reapply: [["copying", "Copy ours in"], ["checking", "Check syntax"], ["keeping", "Save old files"], ["replacing", "Put in place"], ["restarting", "Restart"], ["waiting", "Wait for health"]],
  undo: [["replacing", "Put back"], ["restarting", "Restart"], ["waiting", "Wait for health"]],
  restart: [["restarting", "Restart"], ["waiting", "Wait for health"]],
};
/** Steps that some jobs take between: on the way back, or while something is in the way. @type {Record<string, string>} */
const MORE = { putting_back: "Put the old ones back", restarting_back: "Restart again", waiting_back: "Wait for health again", fetching: "Fetch" };
const EDGES = new Set(["accepted", "queued", "done", ""]);

/**
 * The steps of a job: done, now, to come; what was not planned stands where it happened.
 * @param {"bridge"|"nim"|"speech"} kind
 * @param {{action?: string, state: string, step: string, steps: {step: string, seconds: number|null}[], begun: string[]}} job
 * @returns {Step[]}
 */
export function careSteps(kind, job) {
  const plan = PLANS[kind === "speech" ? job.action ?? "reapply" : kind] ?? [];
  const begun = job.begun.filter((word) => !EDGES.has(word));
  const words = [...plan.map(([word]) => word), ...begun.filter((word) => !plan.some(([known]) => known === word))];
  const names = new Map([...Object.entries(MORE), ...plan]);
  const over = job.state !== "running";
  const at = EDGES.has(job.step) ? begun.at(-1) ?? "" : job.step;
  return words.flatMap((word) => {
    const mark = job.steps.find((each) => each.step === word);
    const passed = word !== at && (begun.includes(word) || (words.indexOf(word) < words.indexOf(at) && !over));
    const state = job.state === "complete" ? (begun.includes(word) ? "done" : null)
      : word === at ? (over ? "fail" : "now") : passed ? "done" : over ? null : "todo";
    if (state === null) return []; // it was not needed, or did not come to that
    const time = state === "done" && typeof mark?.seconds === "number" ? duration(Math.max(1, mark.seconds)) : "";
    return [{ label: names.get(word) ?? word, state, time }];
  });
}

/** @type {Record<string, {tone: import("../../types.js").Tone, icon: string, word: string}>} */
const FILES = {
  in_sync: { tone: "ok", icon: "ok", word: "Same" },
  drift: { tone: "warn", icon: "warn", word: "Differs" },
  missing: { tone: "bad", icon: "bad", word: "Missing" },
  unknown: { tone: "idle", icon: "clock", word: "Not known" },
};

/** @param {string} state of a file @param {boolean} old */
export function filePill(state, old) {
  return old ? FILES.unknown : FILES[state] ?? FILES.unknown;
}

/** How both files are, for beside the heading. @param {{state: string}[]} files @param {boolean} old */
export function filesPill(files, old) {
  const wrong = files.filter((file) => file.state === "drift" || file.state === "missing");
  if (old || files.length === 0 || files.some((file) => file.state === "unknown")) return FILES.unknown;
  if (wrong.length === 0) return { tone: /** @type {const} */ ("ok"), icon: "ok", word: "Both are ours" };
  const missing = wrong.every((file) => file.state === "missing");
  return { tone: /** @type {const} */ ("warn"), icon: "warn", word: `${wrong.length} of ${files.length} ${missing ? "missing" : wrong.length === 1 ? "differs" : "differ"}` };
}

/** @param {string|null} hash */
export function shortHash(hash) {
  return hash ? `${hash.slice(0, 6)}…${hash.slice(-4)}` : "none";
}

/** What the speech server says of itself. @param {any} speech @returns {string} */
export function speechWords({ health, container_state: container, restart_needed: restart, container: name }) {
  if (container === null) return `There is no container ${name}.`;
  const states = { ready: "Speech is ready", loading: "Its model is being loaded", failed: "It lost its GPU and needs a restart", busy: "It works and does not answer meanwhile, which is no fault", away: "It does not answer" };
  const speakers = { ready: "tells speakers apart", loading: "is loading what tells speakers apart", failed: "cannot tell speakers apart", off: "does not tell speakers apart" };
  const said = [states[/** @type {keyof typeof states} */ (health.state)] ?? health.state, speakers[/** @type {keyof typeof speakers} */ (health.diarizer)]].filter(Boolean).join(" and ");
  const more = [health.problem, health.diarizer_problem].filter(Boolean).map((text) => ` ${text}`).join("");
  return `${said}.${more}${restart ? " Our files are in place, and it was started with other ones: restart it." : ""}`;
}
