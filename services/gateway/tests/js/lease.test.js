import assert from "node:assert/strict";
import { test } from "node:test";

import { leaseLook, reserved } from "../../src/spark_gateway/static/lease-words.js";
import { forceQuestion, overQuestion } from "../../src/spark_gateway/static/questions-lease.js";
import { switchQuestion } from "../../src/spark_gateway/static/questions.js";
import { isMine, leaseLeft, onLease, ownPlace, stillMine } from "../../src/spark_gateway/static/reduce-lease.js";
import { asked, minutesOf, nextMoment, reserveProblems } from "../../src/spark_gateway/static/reserving.js";
import { initialState, reduce } from "../../src/spark_gateway/static/store.js";
import { judge } from "../../src/spark_gateway/static/verdict.js";
import { ago, host, lease, menu, model, NOW, plain, snapshot, swap, waiter } from "./scenes.js";

const state = (held, changes = {}) => ({
  ...reduce(initialState(), { type: "snapshot", data: snapshot({ lease: held, ...changes }), at: NOW }), heardAt: NOW,
});
const holding = (changes = {}) => ({ state: "held", holder: "Alice", reason: "", ttl_seconds: 600, epoch: 7, ticket: null, seenWithin: 60, ...changes });
const wishes = (look) => look.press.map((press) => press.wish);

test("the time left counts from when it was said, whatever the clocks of others show", () => {
  const held = { ...state(lease("held", { expires_at: "1999-01-01T00:00:00Z" })) };
  assert.equal(leaseLeft(held, NOW), 2280);
  assert.equal(leaseLeft(held, NOW + 80_000), 2200);
  assert.equal(leaseLeft(held, NOW + 9_000_000), 0);
  assert.equal(leaseLeft(state(lease("free", { remaining_seconds: null })), NOW), null);
});

test("a view of an older lease that comes late is dropped, a snapshot never", () => {
  const now = state(lease("held", { epoch: 9 }));
  assert.equal(onLease(now, lease("held", { epoch: 8 }), NOW), now);
  assert.equal(onLease(now, lease("held", { epoch: 1 }), NOW + 6000).lease.epoch, 1, "the record was made anew");
  assert.equal(onLease(now, lease("free", { epoch: 9 }), NOW).lease.state, "free");
  assert.equal(onLease(now, null, NOW).lease, null);
  assert.equal(reduce(now, { type: "snapshot", data: snapshot({ lease: lease("free", { epoch: 1 }) }), at: NOW }).lease.epoch, 1);
});

test("an earlier state of the same lease is an answer that comes after the news", () => {
  const taken = state(lease("held", { epoch: 9 }));
  assert.equal(onLease(taken, lease("granted", { epoch: 9 }), NOW + 60_000), taken);
  assert.equal(onLease(state(lease("draining", { epoch: 9 })), lease("held", { epoch: 9 }), NOW).lease.state, "draining");
  assert.equal(onLease(taken, lease("granted", { epoch: 10 }), NOW).lease.state, "granted");
  assert.equal(onLease(taken, lease("draining", { epoch: 9 }), NOW).lease.state, "draining");
});

test("who holds it, why, until when, and what can be pressed", () => {
  const look = leaseLook(state(lease("held", { queue: [waiter(1), waiter(2, { holder: "eval-run" })] })), NOW);
  assert.match(look.title, /^Reserved by crm-sync until \d\d:\d\d$/);
  assert.equal(plain(look.left), "38 min left");
  assert.match(look.text, /^Reason: Imports\. Swaps by anyone else are paused/);
  assert.match(look.line[0].words, /^1\. Bob, at \d\d:\d\d at the latest$/);
  assert.deepEqual(wishes(look), ["open-reserve", "open-yield", "force-release"]);
});

test("nothing is shown while it is free, and what nobody knows is called unknown", () => {
  assert.equal(leaseLook(state(lease("free")), NOW), null);
  assert.equal(leaseLook(state(null), NOW).title, "Reservation unknown");
  assert.equal(leaseLook(state(null, { menu: null }), NOW), null);
  assert.equal(leaseLook({ ...state(lease()), link: "lost" }, NOW), null);
});

test("a grant and the end of a reservation have words of their own", () => {
  assert.match(leaseLook(state(lease("granted")), NOW).title, /^Kept for crm-sync/);
  const draining = leaseLook(state(lease("draining")), NOW);
  assert.match(draining.title, /crm-sync is over/);
  assert.ok(!wishes(draining).includes("force-release"));
});

test("what this page holds is its own, and ends with its number", () => {
  const mine = { ...state(lease()), holding: holding() };
  assert.ok(isMine(mine));
  assert.deepEqual(wishes(leaseLook(mine, NOW)), ["open-extend", "release-lease"]);
  assert.equal(leaseLook({ ...mine, lease: lease("held", { remaining_seconds: 40 }) }, NOW).title, "Your reservation ends soon");
  assert.ok(!isMine({ ...mine, lease: lease("held", { epoch: 8 }) }));
  assert.equal(stillMine(holding(), lease("held", { epoch: 8 })), null);
  assert.equal(stillMine(holding(), lease("draining")), null);
  assert.notEqual(stillMine(holding(), lease("free", { epoch: 6 })), null, "read before it was ours");
});

test("a place in line is marked, and can be left", () => {
  const waiting = { ...state(lease("held", { queue: [waiter(1), waiter(2, { holder: "Alice" })] })), holding: holding({ state: "waiting", ticket: "t2", epoch: null }) };
  assert.equal(ownPlace(waiting).position, 2);
  const look = leaseLook(waiting, NOW);
  assert.deepEqual(look.line.map((each) => each.mine), [false, true]);
  assert.match(look.line[1].words, /Alice \(this page\)/);
  assert.match(look.text, /You wait in line/);
  assert.deepEqual(wishes(look), ["leave-line", "open-yield", "force-release"]);
});

test("those who ask for it are named with their time and words", () => {
  const yields = [{ requested_by: "Bob", by: ago(-1200), note: "for the demo", at: ago(120) }, { requested_by: "Carol", by: null, note: "", at: ago(60) }];
  const words = leaseLook(state(lease("held", { yields })), NOW).yields.map((each) => plain(each.words));
  assert.match(words[0], /^Bob asks to release it by \d\d:\d\d: for the demo \(2 min ago\)$/);
  assert.equal(words[1], "Carol asks to release it (1 min ago)");
});

test("while somebody else has it one may not swap, and is told why and over whose head", () => {
  for (const held of ["held", "granted", "draining"]) {
    const verdict = judge(state(lease(held)), NOW);
    assert.equal(verdict.may, "no", held);
    assert.equal(verdict.over, "crm-sync", held);
    assert.equal(verdict.overall.title, "Reserved", held);
    assert.notEqual(verdict.reason, "", held);
    assert.ok(!/You can/.test(verdict.overall.text), held);
  }
  assert.match(reserved(state(lease()), NOW).reason, /^Reserved until \d\d:\d\d$/);
  assert.equal(judge({ ...state(lease()), holding: holding() }, NOW).may, "now");
  assert.equal(judge(state(lease("free")), NOW).may, "now");
  assert.equal(judge(state(null), NOW).may, "now");
  assert.equal(judge(state(lease(), { swaps: { current: swap("loading"), queue: [], recent: [] } }), NOW).overall.title, "Swapping");
  const down = menu({ hosts: [host(1, { state: "unreachable" })] });
  assert.equal(judge(state(lease(), { menu: down }), NOW).over, undefined);
  assert.equal(judge({ ...state(lease()), link: "lost" }, NOW).over, undefined);
});

test("the questions name the holder", () => {
  const held = state(lease("held", { queue: [waiter(1)] }));
  const force = forceQuestion(held, NOW);
  assert.equal(force.title, "End the reservation of crm-sync?");
  assert.match(plain(force.effects[0].how), /held for 10 min\. It would go on for 38 min/);
  assert.match(force.effects[2].how, /Bob is next/);
  const beta = model("beta");
  const over = overQuestion(switchQuestion(beta, held), beta, "crm-sync", held, NOW);
  assert.match(over.title, /Switch to BETA though crm-sync/);
  assert.equal(over.go, "Swap anyway");
  assert.equal(over.tone, "danger-fill");
  assert.equal(over.effects[0].kind, "stop");
});

test("what is typed to reserve is checked before it is asked for", () => {
  for (const [text, minutes] of [["60", 60], [" 1,5 ", 1.5], ["0", null], ["1441", null], ["", null], ["soon", null], ["1e3", 1000], ["0x10", null], ["1e999", null]]) {
    assert.equal(minutesOf(text), minutes, text);
  }
  const typed = { holder: " Alice ", reason: " x ", minutes: "30", wait: true, maximum: "10" };
  assert.equal(reserveProblems(typed).size, 0);
  assert.deepEqual(asked(typed), { holder: "Alice", reason: "x", ttl_seconds: 1800, wait: true, max_wait_seconds: 600 });
  assert.deepEqual([...reserveProblems({ ...typed, holder: " ", minutes: "x", maximum: "" }).keys()], ["holder", "minutes", "maximum"]);
  assert.equal(reserveProblems({ ...typed, wait: false, maximum: "" }).size, 0);
});

test("a time of day is the next moment at which the clock shows it", () => {
  const noon = new Date(2026, 2, 2, 12, 0, 30).getTime();
  assert.equal(new Date(nextMoment("14:00", noon)).getTime(), new Date(2026, 2, 2, 14).getTime());
  assert.equal(new Date(nextMoment("12:00", noon)).getTime(), new Date(2026, 2, 3, 12).getTime());
  for (const text of ["", "4 pm", "14"]) assert.equal(nextMoment(text, noon), null);
});
