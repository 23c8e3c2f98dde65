// The JSON of the lease as JSDoc types, field by field as `spark_common.contracts.leases` defines it.

/**
 * @typedef {"human"|"interactive"|"batch"} Priority
 *
 * @typedef {object} Yield
 * @property {string} requested_by
 * @property {string|null} [by]
 * @property {string} note
 * @property {string} at
 *
 * @typedef {object} Waiter
 * @property {string} ticket
 * @property {string} holder
 * @property {string} reason
 * @property {Priority} priority
 * @property {number} position
 * @property {number|null} [eta_seconds]
 * @property {number} ttl_seconds
 * @property {string} since
 * @property {string} wait_until
 *
 * @typedef {object} LeaseView
 * @property {"free"|"held"|"granted"|"draining"} state
 * @property {string|null} [holder]
 * @property {string} reason
 * @property {Priority|null} [priority]
 * @property {string|null} [since]
 * @property {string|null} [expires_at]
 * @property {number|null} [remaining_seconds]
 * @property {number} epoch
 * @property {Yield[]} yields
 * @property {Waiter[]} queue
 * @property {"lease"|"place"|null} [yours]
 * @property {string|null} [ticket]
 *
 * @typedef {object} LeaseGrant
 * @property {"held"|"waiting"} state
 * @property {string} token
 * @property {number|null} [epoch]
 * @property {number|null} [remaining_seconds]
 * @property {boolean} [extended]
 * @property {string|null} [ticket]
 * @property {number|null} [position]
 * @property {number|null} [eta_seconds]
 * @property {number|null} [seen_within_seconds]
 * @property {number|null} [take_up_seconds]
 *
 * @typedef {{released: "lease"|"place"|"nothing", holder?: string|null, epoch: number}} Released
 *
 * @typedef {object} Holding  What this page holds, without the token that proves it.
 * @property {"held"|"waiting"} state
 * @property {string} holder
 * @property {string} reason
 * @property {number} ttl_seconds
 * @property {number|null} epoch
 * @property {string|null} ticket
 * @property {number} seenWithin  Seconds within which a waiter has to be heard of.
 *
 * @typedef {object} Wanted  What is asked for in the form.
 * @property {string} holder
 * @property {string} reason
 * @property {number} ttl_seconds
 * @property {boolean} wait
 * @property {number} [max_wait_seconds]
 */

export {};
