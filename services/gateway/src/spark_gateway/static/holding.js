// @ts-check
// The token of what this tab reserved. It lives in this tab only and outlives a reload; nothing else sees it.

/** @typedef {import("./types-lease.js").Holding} Holding */

const NAME = "spark-control.reservation";

/** @type {(Holding & {token: string})|null} */
let kept = null;
let read = false;

/** @returns {(Holding & {token: string})|null} */
function stored() {
  if (read) return kept;
  read = true;
  try {
    kept = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
  } catch {
    kept = null; // storage may be forbidden, or somebody wrote nonsense into it
  }
  return kept;
}

/** What this tab holds or waits for. @returns {Holding|null} */
export function holding() {
  const found = stored();
  if (!found) return null;
  const { token: _, ...rest } = found;
  return rest;
}

/** The header field that proves it; empty when there is nothing to prove. @returns {Record<string, string>} */
export function proof() {
  const found = stored();
  return found ? { "x-swap-lock-token": found.token } : {};
}

/** @param {Holding} what @param {string} token */
export function keep(what, token) {
  write({ ...what, token });
}

/** The same lease under another number: Redis had lost the latest ones. @param {number} epoch @returns {Holding|null} */
export function renumbered(epoch) {
  const found = stored();
  if (found) write({ ...found, epoch });
  return holding();
}

/** @param {Holding & {token: string}} what */
function write(what) {
  read = true;
  kept = what;
  try {
    sessionStorage.setItem(NAME, JSON.stringify(kept));
  } catch {
    // Storage may be forbidden; then it is lost with a reload, and expires by itself.
  }
}

export function forget() {
  read = true;
  kept = null;
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Storage may be forbidden; then nothing is there to be removed.
  }
}
