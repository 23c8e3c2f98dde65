import assert from "node:assert/strict";
import { test } from "node:test";

import { LOG_LIMIT } from "../../src/spark_gateway/static/reduce-log.js";
import { initialState, reduce, Store } from "../../src/spark_gateway/static/store.js";
import { ago, menu, NOW, progress, snapshot, swap } from "./scenes.js";

const after = (...messages) => messages.reduce((state, [type, data]) => reduce(state, { type, data, at: NOW }), initialState());
const running = (changes) => snapshot({ swaps: { current: swap("loading", changes), queue: [], recent: [] } });
const outcome = (changes) => ({
  swap_id: "s1", model: "beta", requested_by: "Alice", total_seconds: 60, finished_at: ago(0), ...changes,
});
const freeze = (value) => {
  if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(freeze);
  return value;
};

test("a snapshot makes the page live", () => {
  const state = after(["snapshot", snapshot()]);
  assert.equal(state.link, "live");
  assert.equal(state.menu.runtime.model, "alpha");
  assert.equal(state.heardAt, NOW);
  assert.equal(state.demo, false);
});

test("an unknown message changes nothing", () => {
  const state = after(["snapshot", snapshot()]);
  assert.equal(reduce(state, { type: "moon.phase", data: { full: true }, at: NOW }), state);
});

test("a snapshot of another version asks to load the page again, and keeps asking", () => {
  const state = after(["snapshot", snapshot()], ["snapshot", snapshot({ version: "2" })], ["snapshot", snapshot({ version: "2" })]);
  assert.equal(state.outdated, true);
  assert.equal(after(["snapshot", snapshot()], ["snapshot", snapshot()]).outdated, false);
});

test("progress moves the swap and closes the phase before", () => {
  const state = after(["snapshot", running()], ["swap.progress", progress(4, "warming", { previous_phase: "loading" })]);
  const { current } = state.swaps;
  assert.equal(current.phase, "warming");
  assert.deepEqual(current.phases.map((mark) => [mark.phase, mark.seconds]), [["loading", 10], ["warming", undefined]]);
  assert.equal(state.etaAt, NOW);
});

test("progress that the view already contains only feeds the log", () => {
  const state = after(["snapshot", running({ percent: 60 })], ["swap.progress", progress(2, "launching", { lines: ["hello"], percent: 1 })]);
  assert.equal(state.swaps.current.phase, "loading");
  assert.equal(state.swaps.current.percent, 60);
  assert.deepEqual(state.log.entries.map((entry) => entry.text), ["hello"]);
});

test("a line that is replayed after a reconnect stands in the log once", () => {
  const told = ["swap.progress", progress(4, "loading", { lines: ["one"] })];
  const state = after(["snapshot", running()], told, ["snapshot", running({ n: 4 })], told);
  assert.deepEqual(state.log.entries.map((entry) => entry.text), ["one"]);
});

test("a change of phase is a line of the log", () => {
  const state = after(["snapshot", running()], ["swap.progress", progress(4, "warming", { previous_phase: "loading", message: "First words" })]);
  assert.deepEqual(state.log.entries.map((entry) => entry.text), ["warming    First words"]);
});

test("a log is bounded and knows what it dropped", () => {
  let state = after(["snapshot", running()]);
  for (let n = 4; n < 4 + 25; n += 1) {
    const lines = Array.from({ length: 100 }, (_, index) => `${n}.${index}`);
    state = reduce(state, { type: "swap.progress", data: progress(n, "loading", { lines }), at: NOW });
  }
  assert.equal(state.log.entries.length, LOG_LIMIT);
  assert.equal(state.log.dropped, 500);
  assert.equal(state.log.entries.at(-1).text, "28.99");
});

test("the log of another swap starts empty", () => {
  const state = after(
    ["snapshot", running()],
    ["swap.progress", progress(4, "loading", { lines: ["old"] })],
    ["swap.progress", { ...progress(1, "preflight", { lines: ["new"] }), swap_id: "s2" }],
  );
  assert.equal(state.log.id, "s2");
  assert.ok(state.log.entries.every((entry) => entry.text !== "old"));
});

test("a swap that completes is loaded, is history and runs no more", () => {
  const state = after(["snapshot", running()], ["swap.complete", outcome({ served_name: "beta" })]);
  assert.equal(state.swaps.current, null);
  assert.equal(state.swaps.recent[0].phase, "ready");
  assert.equal(state.menu.runtime.model, "beta");
  assert.deepEqual(state.menu.models.map((each) => each.loaded), [false, true]);
});

test("a swap that fails with nothing left leaves the page idle", () => {
  const cause = { code: "x", sentence: "It broke.", action: "Try again." };
  const state = after(["snapshot", running()], ["swap.failed", outcome({ outcome: "failed", cause, serving: null })]);
  assert.equal(state.menu.runtime.state, "idle");
  assert.equal(state.swaps.recent[0].cause.sentence, "It broke.");
});

test("a swap that was refused early leaves the old model where it was", () => {
  const before = after(["snapshot", running()]);
  const state = reduce(before, { type: "swap.failed", data: outcome({ outcome: "cancelled", serving: "alpha" }), at: NOW });
  assert.equal(state.menu, before.menu);
  assert.equal(state.swaps.recent[0].phase, "cancelled");
});

test("a second telling of an outcome changes nothing", () => {
  const state = after(["snapshot", running()], ["swap.complete", outcome({ served_name: "beta" })]);
  assert.equal(reduce(state, { type: "swap.complete", data: outcome({ served_name: "beta" }), at: NOW }).swaps, state.swaps);
});

test("the first word about a queued swap takes it out of the queue when it starts", () => {
  const waiting = swap("queued", { id: "s1", n: 1 });
  const state = after(
    ["snapshot", snapshot({ swaps: { current: null, queue: [waiting], recent: [] } })],
    ["swap.progress", progress(2, "preflight", { previous_phase: "queued" })],
  );
  assert.equal(state.swaps.current.phase, "preflight");
  assert.deepEqual(state.swaps.queue, []);
});

test("a list that was read earlier does not turn the running swap back", () => {
  const state = after(
    ["snapshot", running()],
    ["swap.progress", progress(7, "warming", { previous_phase: "loading" })],
    ["swaps", { current: swap("loading", { n: 5 }), queue: [], recent: [] }],
  );
  assert.equal(state.swaps.current.phase, "warming");
});

test("a list that was read earlier does not bring an ended swap back", () => {
  const state = after(
    ["snapshot", running()],
    ["swap.complete", outcome({ served_name: "beta" })],
    ["swaps", { current: swap("warming", { n: 9 }), queue: [], recent: [] }],
  );
  assert.equal(state.swaps.current, null);
  assert.equal(state.swaps.recent[0].phase, "ready");
});

test("the answer to a command shows at once, and never turns back what is newer", () => {
  assert.equal(after(["snapshot", snapshot()], ["swap.view", swap("queued", { n: 0 })]).swaps.current.id, "s1");
  assert.equal(after(["snapshot", running()], ["swap.view", swap("queued", { n: 0 })]).swaps.current.phase, "loading");
  assert.equal(after(["snapshot", running()], ["swap.view", swap("queued", { id: "s2" })]).swaps.queue[0].id, "s2");
  assert.equal(after(["snapshot", snapshot()], ["swap.view", swap("queued", { dry_run: true })]).swaps.current, null);
});

test("the reducer leaves what it was given as it was", () => {
  const state = freeze(after(["snapshot", running()], ["swap.progress", progress(4, "loading", { lines: ["a"] })]));
  for (const message of [
    ["swap.progress", progress(5, "warming", { previous_phase: "loading", lines: ["b"] })],
    ["swap.complete", outcome({ served_name: "beta" })],
    ["menu", menu()],
    ["bus", { connected: false }],
    ["link", "lost"],
  ]) reduce(state, freeze({ type: message[0], data: message[1], at: NOW }));
});

test("only an address of a part opens it", () => {
  const at = (hash, before) => reduce({ ...initialState(), tab: before }, { type: "tab", data: hash }).tab;
  assert.equal(at("#schedule", "home"), "schedule");
  assert.equal(at("#main", "schedule"), "schedule");
  assert.equal(at("#models", "schedule"), "home");
  assert.equal(at("", "activity"), "home");
});

test("the store tells of every message, and of a change only when there is one", () => {
  const store = new Store();
  const heard = [];
  store.addEventListener("change", () => heard.push("change"));
  store.addEventListener("told", (event) => heard.push(event.detail.type));
  store.say({ type: "snapshot", data: snapshot(), at: NOW });
  store.say({ type: "moon.phase", data: {} });
  assert.deepEqual(heard, ["change", "snapshot", "moon.phase"]);
});

test("a capture of bodies is known from the picture and from its changes", () => {
  const on = { on: true, until: ago(-60), requested_by: "Alice", kept: 0 };
  assert.equal(after(["snapshot", snapshot()]).capture, null);
  assert.deepEqual(after(["snapshot", snapshot({ capture: on })]).capture, on);
  assert.deepEqual(after(["snapshot", snapshot({ capture: on })], ["capture", { on: false }]).capture, { on: false });
});
