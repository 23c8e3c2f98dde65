// @ts-check
// What is known of the lease after one more word about it: pure.

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types-lease.js").LeaseView} LeaseView */
/** @typedef {import("./types-lease.js").Holding} Holding */

const LATE_MS = 5000;
/** A lease goes through these in this order, and never back. */
const COURSE = ["granted", "held", "draining", "free"];

/**
 * A view of the lease that was heard now. Epochs only grow: a smaller one that comes soon after came
 * late and is dropped; if it keeps coming, the numbers began anew. An earlier state of the same lease
 * is the answer to a question that was asked before the news came.
 * @param {State} state @param {LeaseView|null} lease  Null: nobody answers about it. @param {number} at @returns {State}
 */
export function onLease(state, lease, at) {
  const known = state.lease;
  if (lease && known) {
    if (lease.epoch < known.epoch && at - state.leaseAt < LATE_MS) return state;
    if (lease.epoch === known.epoch && COURSE.indexOf(lease.state) < COURSE.indexOf(known.state)) return state;
  }
  return { ...state, lease, leaseAt: at };
}

/**
 * Whether what this page holds is still there, as far as a view tells: null when it is gone, or when
 * a place in line is no place any more because its turn has come.
 * @param {Holding} holding @param {LeaseView} lease @returns {Holding|null}
 */
export function stillMine(holding, lease) {
  if (holding.state === "held") {
    const epoch = holding.epoch ?? -1;
    if (lease.epoch < epoch) return holding; // read before it was ours
    return lease.epoch === epoch && lease.state === "held" ? holding : null;
  }
  return lease.queue.some((each) => each.ticket === holding.ticket) ? holding : null;
}

/** The place of this page in the line, if it is there. @param {State} state */
export function ownPlace({ lease, holding }) {
  return holding?.state === "waiting" ? lease?.queue.find((each) => each.ticket === holding.ticket) ?? null : null;
}

/** Whether this page holds the lease. @param {State} state */
export function isMine({ lease, holding }) {
  return lease?.state === "held" && holding?.state === "held" && holding.epoch === lease.epoch;
}

/**
 * Whether a question about somebody's reservation is still about the one that stands.
 * @param {State} state @param {string} holder  Whom the question named.
 */
export function isStillOf({ lease }, holder) {
  return !lease || lease.state === "free" || (lease.holder ?? "somebody") === holder;
}

/**
 * Seconds the lease goes on, counted from when they were said: clocks of others do not matter.
 * @param {State} state @param {number} now milliseconds @returns {number|null}
 */
export function leaseLeft({ lease, leaseAt }, now) {
  if (!lease || typeof lease.remaining_seconds !== "number") return null;
  return Math.max(0, lease.remaining_seconds - (now - leaseAt) / 1000);
}
