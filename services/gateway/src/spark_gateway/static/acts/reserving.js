// @ts-check
// What a reader wants of the reservation: take it, wait for it, keep it, release it, ask for it.

import { acquireLease, forceRelease, getLease, releaseLease, requestYield } from "../api-lease.js";
import { clockTime } from "../format.js";
import { forget, holding, keep } from "../holding.js";
import { forceQuestion, releaseQuestion } from "../questions-lease.js";
import { isMine, isStillOf } from "../reduce-lease.js";
import { keepName, ownName, signature } from "../whoami.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */
/** @typedef {import("../types-lease.js").Wanted} Wanted */
/** @typedef {import("../types-lease.js").LeaseGrant} LeaseGrant */

const USUAL_MINUTES = 60;
const SEEN_WITHIN_SECONDS = 30;
const UNSETTLED = "No answer in time: it may be reserved now. Close this and look at the page before you ask again.";

/** @param {Acting} page @returns {Wishes} */
export function reserving(page) {
  const dialog = /** @type {import("../elements/reserve-dialog.js").ReserveDialog} */ (document.querySelector("reserve-dialog"));
  const polite = /** @type {import("../elements/yield-dialog.js").YieldDialog} */ (document.querySelector("yield-dialog"));
  return {
    "open-reserve": () => {
      const { lease } = page.state;
      const free = !lease || lease.state === "free";
      dialog.begin(free ? "take" : "line", { holder: ownName(), reason: "", minutes: USUAL_MINUTES }, lease?.holder ?? "somebody");
    },
    "open-extend": () => dialog.begin("extend", { holder: page.state.holding?.holder ?? "", reason: page.state.holding?.reason ?? "", minutes: USUAL_MINUTES }, ""),
    reserve: async ({ wanted }) => {
      const here = dialog.meanwhile();
      dialog.busy = true;
      dialog.note("now", "Asking for it.");
      if (dialog.mode !== "extend") keepName(wanted.holder);
      const grant = await page.attempt(() => acquireLease(wanted), (why) => here(() => {
        if (why.code === "lease_held" && !wanted.wait && dialog.mode === "take") dialog.taken(why.message);
        else dialog.note("bad", why.code === "outcome_unknown" ? UNSETTLED : why.message);
      }, () => page.refused(why)));
      here(() => {
        dialog.busy = false;
      });
      if (!grant) return;
      // The dialog may be gone by now; what was given is kept, or nobody could give it back.
      granted(page, grant, wanted);
      here(() => dialog.close());
      await look(page);
    },
    "release-lease": async () => {
      const { yes } = await page.dialog.ask(releaseQuestion(page.state));
      if (yes) await giveBack(page, "Released", "Anybody may swap now.");
    },
    "leave-line": () => giveBack(page, "You left the line", ""),
    "force-release": async () => {
      const holder = page.state.lease?.holder ?? "somebody";
      const { yes } = await page.dialog.ask(forceQuestion(page.state, Date.now()));
      if (yes && !isStillOf(page.state, holder)) return changedHands(page);
      const gone = yes ? await page.attempt(forceRelease) : null;
      if (!gone) return undefined;
      if (gone.released === "nothing") page.toasts.add("ok", "It was over already");
      else page.toasts.add("ok", `The reservation of ${gone.holder ?? "somebody"} is ended`);
      return look(page);
    },
    "open-yield": () => polite.begin(page.state.lease?.holder ?? "the holder", ownName()),
    "request-yield": async (wanted) => {
      const here = polite.meanwhile();
      polite.busy = true;
      keepName(wanted.requested_by);
      const lease = await page.attempt(() => requestYield(wanted), (why) => here(() => polite.note("bad", why.message), () => page.refused(why)));
      here(() => {
        polite.busy = false;
      });
      if (!lease) return;
      page.say("lease", lease);
      here(() => polite.close());
      page.toasts.add("ok", "Asked", `${lease.holder ?? "The holder"} is told that ${wanted.requested_by} would like it.`);
    },
  };
}

/** What was asked about is somebody else's by now: nobody agreed to that. @param {Acting} page */
export function changedHands(page) {
  const holder = page.state.lease?.holder ?? "Somebody else";
  page.toasts.add("bad", `${holder} has reserved the Sparks meanwhile`, "Nothing was done. Ask again if you still want to.");
}

/** What was given is kept in this tab. @param {Acting} page @param {LeaseGrant} grant @param {Wanted} wanted */
export function granted(page, grant, wanted) {
  const { holder, reason, ttl_seconds } = wanted;
  const { state, token, epoch = null, ticket = null, seen_within_seconds } = grant;
  const end = Date.now() + (grant.remaining_seconds ?? ttl_seconds) * 1000;
  const before = page.state.holding;
  keep({ state, holder, reason, ttl_seconds, epoch, ticket, seenWithin: seen_within_seconds ?? SEEN_WITHIN_SECONDS }, token);
  page.say("holding", holding());
  if (state === "waiting" && before?.state !== "waiting") page.toasts.add("ok", `You are number ${grant.position ?? "?"} in line`, "Keep this page in view.");
  else if (state === "held" && grant.extended) page.toasts.add("ok", `It is yours until ${clockTime(end)}`);
  else if (state === "held") page.toasts.add("ok", "The Sparks are yours", `Reserved for ${holder}.`);
}

/** How it stands now; asked for as the one who holds it. @param {Acting} page */
export async function look(page) {
  const lease = await page.attempt(() => getLease(), () => {});
  if (lease) page.say("lease", lease);
  return lease;
}

/** @param {Acting} page @param {string} title @param {string} text */
async function giveBack(page, title, text) {
  const gone = await page.attempt(releaseLease);
  if (!gone) return;
  forget();
  page.say("holding", null);
  page.toasts.add("ok", gone.released === "nothing" ? "It was over already" : title, text);
  await look(page);
}

/**
 * News of the reservation that concern the reader.
 * @param {Acting} page @param {string} type @param {any} event
 */
export function leaseNews(page, type, event) {
  if (type === "lock.yield_requested" && isMine(page.state) && event.epoch === page.state.holding?.epoch) {
    page.toasts.add("warn", `${event.requested_by} asks you to release the Sparks`, event.note ?? "");
  }
  if (type === "lock.expiring" && isMine(page.state) && event.epoch === page.state.holding?.epoch) {
    page.toasts.add("warn", "Your reservation ends soon", "Press “Extend…” to keep it.");
  }
  if (type === "lock.forced" && event.epoch === page.state.holding?.epoch && event.requested_by !== signature()) {
    page.toasts.add("bad", `${event.requested_by} decided over your reservation`, event.action === "swap" ? "A swap went through it." : "It is not yours any more.");
  }
}
