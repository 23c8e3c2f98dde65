import assert from "node:assert/strict";
import { test } from "node:test";

import { initialState, reduce } from "../../src/spark_gateway/static/store.js";
import { ago, download, NOW, snapshot, update, updates } from "./scenes.js";

const after = (...messages) => messages.reduce((state, [type, data]) => reduce(state, { type, data, at: NOW }), initialState());
const moving = (changes = {}) => snapshot({ downloads: { running: [download(changes)], recent: [] } });
const step = (n, changes = {}) => ({
  job_id: "d1", n, step: "fetching", percent: 50, eta_seconds: 60, message: "", lines: [], at: ago(0), repo: "org/alpha", ...changes,
});
const end = (outcome, changes = {}) => ({
  job_id: "d1", outcome, message: "", cause: null, total_seconds: 60, finished_at: ago(0), repo: "org/alpha", ...changes,
});

test("a gateway that does not tell of jobs leaves them unknown", () => {
  const state = after(["snapshot", snapshot()]);
  assert.equal(state.downloads, null);
  assert.equal(state.updates, null);
  assert.equal(after(["download.progress", step(1)]).downloads, null);
  assert.equal(after(["update.complete", end("complete")]).updates, null);
});

test("a download moves by its events, and an old one changes nothing", () => {
  const state = after(["snapshot", moving()], ["download.progress", step(4, { done_bytes: 30e9, bytes_per_second: 9e7 })]);
  const [mine] = state.downloads.running;
  assert.deepEqual([mine.n, mine.percent, mine.done_bytes, mine.bytes_per_second, mine.total_bytes], [4, 50, 30e9, 9e7, 60e9]);
  const late = reduce(state, { type: "download.progress", data: step(3, { percent: 10 }), at: NOW });
  assert.equal(late.downloads, state.downloads);
  assert.equal(reduce(state, { type: "download.progress", data: step(9, { job_id: "other" }), at: NOW }).downloads, state.downloads);
});

test("an end stays an end, whatever list comes late", () => {
  const state = after(["snapshot", moving()], ["download.failed", end("failed", { cause: { sentence: "Full." } })], ["downloads", moving().downloads]);
  assert.deepEqual(state.downloads.running, []);
  assert.equal(state.downloads.recent[0].state, "failed");
  assert.equal(state.downloads.recent[0].cause.sentence, "Full.");
  assert.equal(state.downloads.recent.length, 1);
  const twice = reduce(state, { type: "download.failed", data: end("failed"), at: NOW });
  assert.equal(twice.downloads, state.downloads);
});

test("of two views of a running download the newer stays", () => {
  const state = after(["snapshot", moving()], ["download.progress", step(9)], ["downloads", moving({ n: 5 }).downloads]);
  assert.equal(state.downloads.running[0].n, 9);
  assert.equal(reduce(state, { type: "downloads", data: null, at: NOW }).downloads, null);
});

test("the answer to a command shows at once and is not added twice", () => {
  const view = download({ id: "d2", n: 0 });
  const state = after(["snapshot", moving()], ["download.view", view], ["download.view", view]);
  assert.deepEqual(state.downloads.running.map((each) => each.id), ["d1", "d2"]);
  const gone = reduce(state, { type: "download.view", data: { ...view, state: "cancelled" }, at: NOW });
  assert.deepEqual(gone.downloads.running.map((each) => each.id), ["d1"]);
  const late = reduce(gone, { type: "download.view", data: view, at: NOW });
  assert.deepEqual(late.downloads.running.map((each) => each.id), ["d1"]);
});

test("an update moves, logs and ends; a list from before does not take it back", () => {
  const line = (n, text) => step(n, { job_id: "u1", step: "building", lines: [text], previous_step: n === 1 ? "pulling" : null });
  const state = after(["snapshot", snapshot({ updates: updates({ job: update({ n: 0 }) }) })], ["update.progress", line(1, "one")], ["update.progress", line(2, "two")]);
  assert.equal(state.updates.job.step, "building");
  assert.deepEqual(state.jobLog.entries.map((entry) => entry.text.trim()), ["building", "one", "two"]);
  const done = reduce(state, { type: "update.failed", data: end("failed", { job_id: "u1" }), at: NOW });
  assert.equal(done.updates.job.state, "failed");
  const late = reduce(done, { type: "updates", data: updates({ job: update({ n: 2 }) }), at: NOW });
  assert.equal(late.updates.job.state, "failed");
  const next = reduce(done, { type: "updates", data: updates({ job: update({ id: "u2" }) }), at: NOW });
  assert.equal(next.updates.job.id, "u2");
});

test("progress of an update that began elsewhere is kept as a log until the list comes", () => {
  const state = after(["snapshot", snapshot()], ["update.progress", step(1, { job_id: "u9", lines: ["first"] })]);
  assert.equal(state.updates, null);
  assert.equal(state.jobLog.id, "u9");
  assert.equal(after(["update.view", update()]).updates.job.id, "u1");
});

test("events nobody knows and failures that were put away", () => {
  const state = after(["dismissed", ["a"]], ["dismissed", ["b"]], ["download.renamed", {}]);
  assert.deepEqual(state.dismissed, ["a", "b"]);
});
