import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, count, dayTime, diskShare, diskSize, duration, listed, logTime, memory, pages, roughly } from "../../src/spark_gateway/static/format.js";

const plain = (text) => text.replaceAll("\u00a0", " ").replaceAll("\u202f", " ");
const NOW = new Date(2026, 2, 4, 12, 0, 0).getTime();
const before = (seconds) => new Date(NOW - seconds * 1000).toISOString();

test("durations name at most two units", () => {
  const said = [0, 0.4, 48, 60, 80, 3599.6, 3600, 13_200, 1_051_200].map((seconds) => plain(duration(seconds)));
  assert.deepEqual(said, ["0 s", "0 s", "48 s", "1 min", "1 min 20 s", "1 h", "1 h", "3 h 40 min", "12 d 4 h"]);
  assert.equal(plain(duration(-5)), "0 s");
});

test("an estimate is not told to the second", () => {
  assert.deepEqual([1, 43, 57.6, 84, 199, 604].map((s) => plain(roughly(s))), ["5 s", "45 s", "1 min", "1 min 20 s", "3 min 20 s", "10 min"]);
});

test("sizes are decimal on disk and binary in memory", () => {
  assert.equal(plain(diskSize(63.4e9)), "63.4 GB");
  assert.equal(plain(diskSize(2.25e12)), "2.25 TB");
  assert.equal(plain(diskSize(512e6)), "512 MB");
  assert.equal(diskSize(null), "unknown");
  assert.equal(diskShare(0.61e12, 3.67e12), "0.61");
  assert.equal(diskShare(61e9, 900e9), "61.0");
  assert.equal(memory(119.7 * 2 ** 30), "119.7");
});

test("counts are grouped and contexts become pages", () => {
  assert.equal(plain(count(262144)), "262 144");
  assert.equal(plain(count(999)), "999");
  assert.equal(count(undefined), "unknown");
  assert.equal(pages(262144), "400");
  assert.equal(pages(300), "1");
});

test("moments are relative up to a day, then dates", () => {
  assert.equal(ago(before(2), NOW), "just now");
  assert.equal(plain(ago(before(38), NOW)), "35 s ago");
  assert.equal(plain(ago(before(13_200), NOW)), "3 h 40 min ago");
  assert.equal(ago(before(-30), NOW), "just now");
  assert.equal(dayTime(before(3600), NOW), "today 11:00");
  assert.equal(dayTime(before(86_400), NOW), "yesterday 12:00");
  assert.equal(dayTime(before(3 * 86_400), NOW), "Sun 12:00");
  assert.equal(dayTime(before(20 * 86_400), NOW), "12 Feb 12:00");
  assert.equal(dayTime(before(400 * 86_400), NOW), "28 Jan 2025");
  assert.equal(logTime(before(1)), "11:59:59");
});

test("names join into a sentence", () => {
  assert.deepEqual([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed), ["", "a", "a and b", "a, b and c"]);
});
