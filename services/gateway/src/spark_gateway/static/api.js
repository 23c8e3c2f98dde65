// @ts-check
// Questions and commands to the gateway, with one path for everything that goes wrong.

/** @typedef {import("./types.js").SwapView} SwapView */
/** @typedef {import("./types.js").Menu} Menu */

const PATIENCE_MS = 15000;

// The gateway's own title is the name of an HTTP status, which says nothing to people.
/** @type {Record<string, string>} */
const TITLES = {
  swap_in_progress: "Another swap is running",
  already_loaded: "It is loaded already",
  model_not_ready: "This model is not ready to use",
  unknown_model: "This model is not there any more",
  not_found: "This swap is not there any more",
  lease_held: "The Sparks are reserved",
  host_unreachable: "A Spark does not answer",
  outcome_unknown: "No answer in time",
};

/** What the gateway answered instead of doing it: a title, a sentence with what to do, a stable code. */
export class Refusal extends Error {
  /** @param {string} title @param {string} detail @param {string} code */
  constructor(title, detail, code) {
    super(detail);
    this.title = title;
    this.code = code;
  }
}

/**
 * @param {string} path relative to the page
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
async function ask(path, { method = "GET", body, headers = {} } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Refusal("No answer", "spark-control did not answer. Look at the page before you try again.", "no_answer");
  }
  const said = await response.json().catch(() => null);
  if (response.ok) return said;
  throw new Refusal(
    TITLES[said?.code] ?? "That did not work",
    typeof said?.detail === "string" ? capitalised(said.detail) : `The answer was ${response.status}.`,
    typeof said?.code === "string" ? said.code : String(response.status),
  );
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
 * @param {{model: string, rollback: boolean, when_busy: "reject"|"queue"}} wanted
 * @param {string} key
 * @returns {Promise<SwapView>}
 */
export function startSwap(wanted, key) {
  const body = { ...wanted, requested_by: "dashboard" };
  return ask("api/swap", { method: "POST", body, headers: { "idempotency-key": key } });
}

/** @param {string} id @returns {Promise<SwapView>} */
export function cancelSwap(id) {
  return ask(`api/swap/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** Look at the disks again. @returns {Promise<Menu>} */
export function refreshMenu() {
  return ask("api/models?refresh=true");
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
