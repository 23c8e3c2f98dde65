// @ts-check
// Questions and commands about who may decide what is loaded. The token travels in a header field only.

import { ask } from "./api.js";
import { proof } from "./holding.js";
import { signature } from "./whoami.js";

/** @typedef {import("./types-lease.js").LeaseView} LeaseView */
/** @typedef {import("./types-lease.js").LeaseGrant} LeaseGrant */

const PATH = "api/swap/lock";

/**
 * How it stands; with a place in line it also says that we are still there.
 * @param {number} [patience] milliseconds @returns {Promise<LeaseView>}
 */
export const getLease = (patience) => ask(PATH, { headers: proof(), patience });

/**
 * Take it, extend it, take up a grant, or stand in line.
 * @param {import("./types-lease.js").Wanted} wanted
 * @param {string} [key]  Secret, of this order alone: a repeat of what got no answer is the same reservation.
 * @returns {Promise<LeaseGrant>}
 */
export const acquireLease = (wanted, key) => ask(PATH, {
  method: "POST", body: { ...wanted, priority: "human" }, headers: { ...proof(), ...(key ? { "idempotency-key": key } : {}) },
});

/** What this tab holds. @returns {Promise<import("./types-lease.js").Released>} */
export const releaseLease = () => ask(`${PATH}?${new URLSearchParams({ requested_by: signature() })}`, { method: "DELETE", headers: proof() });

/** Whoever holds it. @returns {Promise<import("./types-lease.js").Released>} */
export const forceRelease = () => ask(`${PATH}?${new URLSearchParams({ force: "true", requested_by: signature() })}`, { method: "DELETE" });

/** @param {{requested_by: string, by: string|null, note: string}} wanted @returns {Promise<LeaseView>} */
export const requestYield = (wanted) => ask(`${PATH}/yield`, { method: "POST", body: wanted });
