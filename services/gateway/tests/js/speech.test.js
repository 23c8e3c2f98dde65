import assert from "node:assert/strict";
import { test } from "node:test";

import { blockLooks, clockOf, heardWords, queueWords, speakerName, stateLook, voiceGroups } from "../../src/spark_gateway/static/late/speech/looks.js";
import { refusalWords } from "../../src/spark_gateway/static/late/data-plane.js";

const block = (speaker, text, start_ms = 0, confidence = 0.9) => ({ speaker, text, start_ms, end_ms: start_ms + 500, confidence });

test("every speaker has a colour and a name, and nobody is made up", () => {
  const looks = blockLooks([block("Speaker_1", "Hello."), block("Speaker_0", "Hi.", 65000, 0.4), block(null, "Hm.", 3700000, null), block("Speaker_1", "Well.")]);
  assert.deepEqual(looks.map((look) => look.voice), [1, 2, 0, 1]);
  assert.deepEqual(looks.map((look) => look.who), ["Speaker 2", "Speaker 1", "Somebody", "Speaker 2"]);
  assert.deepEqual(looks.map((look) => look.at), ["0:00", "1:05", "1:01:40", "0:00"]);
  assert.deepEqual(looks.map((look) => look.sure), ["90\u00a0%", "40\u00a0%", "", "90\u00a0%"]);
  assert.deepEqual(looks.map((look) => look.unsure), [false, true, false, false]);
  assert.equal(speakerName("Alice"), "Alice");
  assert.ok(blockLooks(Array.from({ length: 20 }, (_, n) => block(`Speaker_${n}`, "x"))).every(({ voice }) => voice >= 1 && voice <= 6));
});

test("times are read as on a clock", () => {
  assert.equal(clockOf(-5), "0:00");
  assert.equal(clockOf(59999), "0:59");
  assert.equal(clockOf(3600000), "1:00:00");
});

test("busy is no trouble, and what is not known is not green", () => {
  assert.equal(stateLook({ state: "busy" }).tone, "now");
  assert.equal(stateLook({ state: "ready" }).tone, "ok");
  assert.equal(stateLook({ state: "down" }).tone, "bad");
  assert.equal(stateLook({ state: "recovering" }).word, "Restarting");
  assert.equal(stateLook({ state: "recovering", upstream: { status: "loading" } }).word, "Loading its model");
  assert.equal(stateLook({ state: "something new" }).tone, "idle");
  assert.equal(stateLook(null).tone, "idle");
});

test("the line is told in words", () => {
  const queue = { in_use: 2, draining: 0, waiting: { interactive: 0, normal: 0, batch: 0 }, waiting_elsewhere: 0, ceiling: 3, expected_wait_seconds: 0 };
  assert.equal(queueWords({ queue }), "2 of 3 at work, nobody waits.");
  assert.equal(queueWords({ queue: { ...queue, waiting: { interactive: 1 }, expected_wait_seconds: 3.2 } }), "2 of 3 at work, 1 waits, about 4 s.");
  assert.equal(queueWords({ queue: { ...queue, waiting_elsewhere: 5, draining: 1 } }), "2 of 3 at work, 5 wait, about 0 s, 1 to be finished for callers who left.");
  assert.equal(queueWords(null), "");
});

test("voices stand with their language, the largest group first", () => {
  const groups = voiceGroups([{ id: "a", name: "A", language: "fr-FR" }, { id: "b", name: "B", language: "en-US" }, { id: "c", name: "C", language: "en-US" }, { id: "d", name: "D" }]);
  assert.deepEqual(groups.map(({ language, voices }) => [language, voices.length]), [["en-US", 2], ["fr-FR", 1], ["", 1]]);
});

test("refusals are sentences", () => {
  assert.equal(refusalWords(503, { error: { message: "the speech server does not answer" } }), "The speech server does not answer.");
  assert.equal(refusalWords(502, null), "It did not work (the answer was 502).");
  assert.equal(heardWords({ duration: 61.2, speakers_detected: ["Speaker_0", "Speaker_1"] }), "1:01 of sound, 2 voices.");
  assert.equal(heardWords({ duration: 3, speakers_detected: [] }), "0:03 of sound, nobody could be told apart.");
});
