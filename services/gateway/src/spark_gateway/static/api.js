// @ts-check
// Questions and commands to the gateway, with one path for everything that goes wrong.

import { toSignIn } from "./entrance.js";
import { proof } from "./holding.js";
import { signature } from "./whoami.js";

/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {import("./types.js").Menu} Menu */
/** @typedef {{method?: string, body?: unknown, headers?: Record<string, string>, patience?: number}} Asking */

const PATIENCE_MS = 20000;
const LOG_LINES = 20000;

// The gateway's own title is the name of an HTTP status, which says nothing to people.
/** @type {Record<string, string>} */
const TITLES = {
  swap_in_progress: "Another swap is running",
  already_loaded: "It is loaded already",
  model_not_ready: "This model is not ready to use",
  unknown_model: "This model is not there any more",
  not_found: "It is not there",
  lease_held: "The Sparks are reserved",
  host_unreachable: "A Spark does not answer",
  outcome_unknown: "No answer in time",
  deadline_exceeded: "No answer in time",
  invalid_request: "Something is not right in it",
  conflict: "It is there already",
  job_in_progress: "Something else is going on",
  model_in_use: "The model is in use",
  quarantined: "It took a Spark down",
  service_unavailable: "A part of spark-control does not answer",
};

/** What the gateway answered instead of doing it: a title, a sentence with what to do, a stable code. */
export class Refusal extends Error {
  /**
   * @param {string} title @param {string} detail @param {string} code
   * @param {import("./types-control.js").FieldProblem[]} [problems]  What is wrong with which field.
   */
  constructor(title, detail, code, problems = []) {
    super(detail);
    this.title = title;
    this.code = code;
    this.problems = problems;
  }
}

/**
 * @param {string} path relative to the page
 * @param {Asking} [options]  `patience`: milliseconds until we stop waiting.
 * @returns {Promise<any>}
 */
export async function ask(path, { method = "GET", body, headers = {}, patience = PATIENCE_MS } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    throw new Refusal("No answer", "spark-control did not answer. Look at the page before you try again.", "no_answer");
  }
  const said = await response.json().catch(() => null);
  if (response.ok) return said;
  if (response.status === 401) toSignIn();
  throw refusalOf(response.status, said);
}

/** What a problem+json body says, for people. @param {number} status @param {any} said */
export function refusalOf(status, said) {
  const detail = silentWords(said) ?? (typeof said?.detail === "string" ? capitalised(said.detail) : `The answer was ${status}.`);
  const code = typeof said?.code === "string" ? said.code : String(status);
  return new Refusal(TITLES[code] ?? "That did not work", detail, code, problemsOf(said?.details));
}

/** A part that is away; what the bus says of it speaks of the bus, and to whoever runs it. @param {any} said @returns {string|null} */
function silentWords(said) {
  const part = said?.details?.service;
  if (typeof part !== "string") return null;
  if (said.code === "service_unavailable") return `The part “${part}” does not answer. Try again in a moment.`;
  return said.code === "deadline_exceeded" ? `The part “${part}” did not answer in time. Look at the page before you try again.` : null;
}

/** What is wrong with which field, whichever service or the gateway itself said it. @param {any} details */
function problemsOf(details) {
  const told = [details?.problems, details?.fields].find(Array.isArray) ?? [];
  return told.map((/** @type {any} */ each) => ({
    ...each,
    field: String(each.field ?? each.name ?? "").replace(/^body\.(values\.|secrets\.)?/, ""),
    message: String(each.message ?? each.rule ?? each.reason ?? "is not right"),
    severity: each.severity ?? "error",
    near: each.near ?? [],
  }));
}

/** @param {string} text @returns {string} */
function capitalised(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * A key that makes a repeated command the same command. Works without a secure context too.
 * @returns {string}
 */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `ui-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * @param {{model: string, rollback: boolean, when_busy: "reject"|"queue", force?: boolean, drop_caches?: boolean}} wanted
 * @param {string} key
 * @param {boolean} [over]  Through the reservation of whoever holds it.
 * @returns {Promise<SwapView>}
 */
export function startSwap(wanted, key, over = false) {
  const body = { ...wanted, requested_by: signature() };
  return ask(over ? "api/swap?force=true" : "api/swap", { method: "POST", body, headers: { "idempotency-key": key, ...proof() } });
}

/** @param {string} id @returns {Promise<SwapView>} */
export function cancelSwap(id) {
  return ask(`api/swap/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** What a swap to a model would do, without doing it. @param {string} key @returns {Promise<import("./types-control.js").SwapPlan>} */
export function planSwap(key) {
  return ask(`api/swap/${encodeURIComponent(key)}/plan`, { method: "POST", body: {}, patience: 90000 });
}

/**
 * The log of a swap, as long as its record is kept: piece by piece, at most 20 000 lines.
 * @param {string} id
 * @returns {Promise<{lines: string[], cut: boolean}>}
 */
export async function swapLog(id) {
  const lines = [];
  let cut = false;
  while (lines.length < LOG_LINES) {
    const said = await ask(`api/swap/${encodeURIComponent(id)}/log?after=${lines.length}&limit=5000`);
    lines.push(...said.lines);
    cut = cut || said.cut;
    if (said.lines.length === 0 || lines.length >= said.total) return { lines, cut };
  }
  return { lines, cut: true };
}

/** Look at the disks again. @returns {Promise<Menu>} */
export function refreshMenu() {
  return ask("api/models?refresh=true");
}

/** Stops the capture of bodies and deletes them. @returns {Promise<any>} */
export function endCapture() {
  return ask("api/requests/capture", { method: "DELETE" });
}

/** Whether the gateway is there at all. @returns {Promise<boolean>} */
export async function isAlive() {
  try {
    const response = await fetch("livez", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    return response.ok;
  } catch {
    return false;
  }
}
