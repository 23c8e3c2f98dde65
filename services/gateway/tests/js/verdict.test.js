import assert from "node:assert/strict";
import { test } from "node:test";

import { initialState, reduce } from "../../src/spark_gateway/static/store.js";
import { judge, lastFailure } from "../../src/spark_gateway/static/verdict.js";
import { ago, host, menu, NOW, snapshot, swap, update, updates } from "./scenes.js";

const state = (changes) => reduce(initialState(), { type: "snapshot", data: snapshot(changes), at: NOW });
const ended = (phase, changes) => swap(phase, { finished_at: ago(60), ...changes });
const recent = (...swaps) => ({ current: null, queue: [], recent: swaps });

const SCENES = {
  well: state(),
  idle: state({ menu: menu({ runtime: { state: "idle" } }) }),
  degraded: state({ menu: menu({ runtime: { state: "degraded", model: "alpha" } }) }),
  unreachable: state({ menu: menu({ runtime: { state: "unreachable" } }) }),
  starting: state({ menu: menu({ runtime: { state: "starting", model: "beta" } }) }),
  unknown: state({ menu: menu({ runtime: { state: "unknown" } }) }),
  down: state({ menu: menu({ hosts: [host(1), host(2, { state: "unreachable" })] }) }),
  allDown: state({ menu: menu({ hosts: [host(1, { state: "unreachable" })] }) }),
  stale: state({ menu: menu({ hosts: [host(1, { seen_at: ago(900) })] }) }),
  silent: state({ components: [{ name: "health", state: "down" }] }),
  bus: state({ bus: { connected: false } }),
  nobody: state({ menu: null, swaps: null }),
  empty: state({ menu: menu({ hosts: [] }) }),
  swapping: state({ swaps: { current: swap("loading"), queue: [], recent: [] } }),
  rollingBack: state({ swaps: { current: swap("rolling_back"), queue: [], recent: [] } }),
  failed: state({ swaps: recent(ended("failed")) }),
  cancelled: state({ swaps: recent(ended("cancelled")) }),
  lost: { ...state(), link: "lost" },
  connecting: initialState(),
};

test("all is well only when nothing is failing", () => {
  for (const [name, scene] of Object.entries(SCENES)) {
    const { overall, well } = judge(scene, NOW + 2000);
    const fine = ["well", "cancelled"].includes(name);
    assert.equal(overall.title === "All well", fine, name);
    if (overall.tone === "ok") assert.equal(well.tone, "ok", name);
    if (well.tone === "bad") assert.equal(overall.tone, name === "rollingBack" ? "now" : "bad", name);
  }
});

test("whoever may not swap is told why", () => {
  for (const [name, scene] of Object.entries(SCENES)) {
    const { may, reason, swap: line } = judge(scene, NOW);
    assert.equal(may === "no", reason !== "", name);
    if (may === "no") assert.notEqual(line.tone, "ok", name);
    if (line.title === "You can swap now") assert.equal(may, "now", name);
  }
});

test("each state has its sentence", () => {
  const said = Object.fromEntries(Object.entries(SCENES).map(([name, scene]) => [name, judge(scene, NOW).overall.title]));
  assert.deepEqual(said, {
    well: "All well", idle: "Idle", degraded: "The loaded model answers badly", unreachable: "The model server does not answer",
    starting: "Starting", unknown: "Looking", down: "Spark 2 cannot be reached", allDown: "Spark 1 cannot be reached",
    stale: "Spark 1 not seen lately", silent: "One part does not answer", bus: "Event bus is down", nobody: "No news from the Sparks",
    empty: "Not set up", swapping: "Swapping", rollingBack: "Swapping", failed: "Swap failed", cancelled: "All well",
    lost: "No connection", connecting: "Connecting",
  });
});

test("what is announced does not change with every second", () => {
  for (const [name, scene] of Object.entries(SCENES)) {
    assert.deepEqual(judge(scene, NOW).overall, judge(scene, NOW + 7000).overall, name);
  }
});

test("no model loaded is idle, never failing", () => {
  const { overall, well } = judge(SCENES.idle, NOW);
  assert.equal(overall.tone, "idle");
  assert.equal(well.tone, "ok");
});

test("while a swap runs another one can be queued", () => {
  assert.equal(judge(SCENES.swapping, NOW).may, "queue");
});

test("knowledge that grows old stops being green", () => {
  assert.equal(judge(SCENES.well, NOW).well.tone, "ok");
  assert.equal(judge(SCENES.well, NOW + 300_000).well.tone, "warn");
  assert.match(judge(SCENES.well, NOW + 300_000).overall.text, /^What is shown of them may not/);
  assert.match(judge(SCENES.stale, NOW).overall.text, /^What is shown of it may not/);
});

test("a failure is shown until it is put away, superseded or a dry run", () => {
  assert.equal(lastFailure(SCENES.failed).phase, "failed");
  assert.equal(lastFailure({ ...SCENES.failed, dismissed: ["s1"] }), null);
  assert.equal(lastFailure(state({ swaps: recent(ended("failed", { dry_run: true })) })), null);
  const better = ended("ready", { id: "s2", finished_at: ago(10) });
  assert.equal(lastFailure(state({ swaps: recent(ended("failed"), better) })), null);
  assert.equal(lastFailure(SCENES.swapping), null);
});

test("while the launcher is updated a swap can be queued, and nobody promises more", () => {
  const verdict = judge(state({ updates: updates({ job: update() }) }), NOW);
  assert.deepEqual([verdict.may, verdict.swap.title], ["queue", "The model launcher is being updated"]);
  assert.equal(verdict.overall.text, "ALPHA is ready. The launcher is being updated.");
  assert.equal(judge(state({ updates: updates({ job: update({ state: "failed" }) }) }), NOW).may, "now");
});
