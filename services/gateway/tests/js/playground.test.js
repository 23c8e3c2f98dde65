import assert from "node:assert/strict";
import { test } from "node:test";

import { EventLines, pieceOf } from "../../src/spark_gateway/static/late/playground/stream.js";
import * as words from "../../src/spark_gateway/static/late/playground/words.js";
import { NOW, ago, menu, model, plain, stateOf, swap } from "./scenes.js";

const STREAM = ': waiting\r\n\r\n: waiting, number 2 in line\n\ndata: {"a": "\u00e4"}\n\ndata:no space\r\rid: 7\ndata: [DONE]\n\n';

test("a stream says the same however it is cut", () => {
  const expected = { data: ['{"a": "\u00e4"}', "no space", "[DONE]"], comments: ["waiting", "waiting, number 2 in line"] };
  for (let at = 0; at <= STREAM.length; at += 1) {
    const lines = new EventLines();
    const parts = [STREAM.slice(0, at), STREAM.slice(at), "\n"].map((text) => lines.push(text));
    assert.deepEqual({ data: parts.flatMap(({ data }) => data), comments: parts.flatMap(({ comments }) => comments) }, expected, `cut at ${at}`);
  }
});

test("an event adds what it holds, and nothing when it cannot be read", () => {
  const of = (said) => pieceOf(JSON.stringify(said));
  const delta = (each, finish = null) => ({ choices: [{ delta: each, finish_reason: finish }] });
  assert.equal(of(delta({ content: "Hi" })).text, "Hi");
  assert.equal(of(delta({ reasoning_content: "Hm" })).thought, "Hm");
  assert.equal(of(delta({ reasoning: "Hm" })).thought, "Hm");
  assert.equal(of(delta({ tool_calls: [{ function: { name: "f", arguments: "{}" } }] })).tool, "f{}");
  assert.equal(of(delta({}, "length")).finish, "length");
  assert.equal(of({ choices: [], usage: { completion_tokens: 12 } }).tokens, 12);
  assert.deepEqual(of({ error: { message: "gone", code: "model_load_failed" } }).error, { message: "gone", code: "model_load_failed" });
  assert.equal(of({ choices: [{ message: { content: "whole" } }] }).text, "whole");
  assert.ok(pieceOf("[DONE]").done);
  for (const odd of ["", "{", "null", "7", '"x"', "[]", '{"choices": "x"}', '{"choices": [{"delta": {"content": 7}}]}']) {
    const { text, error, done } = pieceOf(odd);
    assert.deepEqual([text, error, done], ["", null, false], odd);
  }
});

test("what is asked is whatever is loaded, or the model on its way", () => {
  const none = menu({ models: [model("alpha"), model("beta", { served_name: "org-beta" })], runtime: { state: "idle" } });
  const going = (phase, changes) => ({ current: swap(phase, changes), queue: [], recent: [] });
  assert.equal(words.modelToAsk(stateOf()), "auto");
  assert.equal(words.modelToAsk(stateOf({ swaps: going("preflight") })), "auto"); // the old model still answers
  assert.equal(words.modelToAsk(stateOf({ menu: none, swaps: going("loading") })), "org-beta");
  assert.equal(words.modelToAsk(stateOf({ menu: none, swaps: going("preflight") })), "org-beta");
  assert.equal(words.modelToAsk(stateOf({ menu: none, swaps: going("rolling_back") })), "auto");
  assert.equal(words.modelToAsk(stateOf({ swaps: going("loading", { dry_run: true }) })), "auto");
});

test("who answers is said, and what one waits for", () => {
  const none = menu({ models: [model("beta")], runtime: { state: "idle" } });
  const swaps = { current: swap("loading", { eta_seconds: 70 }), queue: [], recent: [] };
  assert.deepEqual([words.whoAnswers(stateOf(), NOW).word, words.whoAnswers(stateOf(), NOW).can], ["ALPHA", true]);
  assert.equal(words.whoAnswers(stateOf({ menu: none }), NOW).can, false);
  assert.match(plain(words.whoAnswers(stateOf({ menu: none, swaps }), NOW).text), /^BETA: .*About 1 min 10 s left\. A question that you send now waits/);
  assert.equal(words.whoAnswers({ ...stateOf(), link: "lost" }, NOW).can, false);
  const deaf = menu({ models: [model("alpha", { loaded: true, capabilities: ["embeddings"] })] });
  assert.match(words.whoAnswers(stateOf({ menu: deaf }), NOW).text, /not made for chat/);
  const asked = Date.parse(ago(12));
  assert.match(plain(words.waitingWords(stateOf({ menu: none, swaps }), NOW, asked, "")), /^Waiting for BETA: .*, about 1 min 10 s left\. 12 s so far\.$/);
  assert.match(words.waitingWords(stateOf(), NOW, asked, "waiting, number 2 in line"), /its turn, number 2 in line/);
  assert.match(words.waitingWords(stateOf(), NOW, asked, ""), /^Reading the question/);
});

test("the time to the first token and tokens per second are of this answer", () => {
  const timing = { asked: 1000, first: 1250, last: 3250, pieces: 70, tokens: 81, held: false };
  assert.equal(words.tokensPerSecond(timing), 40);
  assert.equal(words.tokensPerSecond({ ...timing, tokens: null, pieces: 3 }), 1);
  assert.equal(words.tokensPerSecond({ ...timing, tokens: 1 }), null);
  assert.equal(words.tokensPerSecond({ ...timing, last: 1250 }), null);
  const said = (changes) => Object.fromEntries(words.timingFacts({ ...timing, ...changes }).map(({ label, value }) => [label, plain(value)]));
  assert.deepEqual(said({}), { "First token after": "0.25 s", "Tokens per second": "40.0", Tokens: "81", "In all": "2.25 s" });
  assert.equal(said({ tokens: null }).Tokens, "about 70");
  assert.match(said({ held: true, first: 91_000, last: 92_000 })["First token after"], /^1 min 30 s, with the wait/);
  assert.deepEqual(words.timingFacts({ ...timing, first: 0 }), []);
});

test("what went wrong says what to press, and fields say what they take", () => {
  assert.match(words.remedyFor("no_model_loaded"), /Pick a model/);
  assert.equal(words.remedyFor("anything"), "Ask again.");
  assert.match(words.endWords("length", false), /Longest answer/);
  assert.match(words.endWords(null, true), /connection ended/);
  assert.equal(words.endWords("stop", false), "");
  const bounds = { least: 0, most: 2, whole: false };
  assert.deepEqual(words.numberOf(" 0,7 ", bounds), { value: 0.7, problem: "" });
  assert.deepEqual(words.numberOf("", bounds), { value: null, problem: "" });
  for (const wrong of ["3", "-1", "NaN", "Infinity", "warm"]) assert.match(words.numberOf(wrong, bounds).problem, /^A number from 0 to 2/, wrong);
  assert.match(words.numberOf("1.5", { least: 1, most: 9, whole: true }).problem, /^A whole number/);
});

test("texts are compared by direction, and a payload is read where its text is", () => {
  assert.equal(words.likeness([1, 0], [2, 0]), 1);
  assert.equal(words.likeness([1, 0], [0, 3]), 0);
  assert.equal(words.likeness([0, 0], [1, 1]), 0);
  assert.equal(words.payloadText({ id: 7, text: "Hi" }), "Hi");
  assert.equal(words.payloadText({ id: 7 }), '{"id":7}');
  assert.equal(words.payloadText(null), "");
});
