import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, emptyForm, formOf, keyLimits, keyOf, keyOpens, keyPill, keyUse } from "../../src/spark_gateway/static/late/activity/keys.js";
import { exportAddress, logQuery, momentOf, outcomePill, rowNumbers, whoAsked } from "../../src/spark_gateway/static/late/activity/request-log.js";
import { ago, NOW, plain } from "./scenes.js";

const key = (changes = {}) => ({
  id: "k", name: "Open WebUI", scopes: ["infer"], requests_per_minute: 0, tokens_per_minute: 0, concurrency: 0, weight: 1, models: [],
  expires_at: null, enabled: true, created_by: "Alice", last_used_on: null, ...changes,
});
const row = (changes = {}) => ({
  mark: "m", id: "r", at: ago(5), method: "POST", path: "/v1/messages", model: "a", status: 200, end: "complete", total_ms: 41.6, queue_ms: 0,
  prompt_tokens: null, completion_tokens: null, tokens_estimated: false, key: "", user: "", address: "", client: "", ...changes,
});

test("how a key stands, what it opens and what it may", () => {
  assert.deepEqual([{}, { enabled: false }, { expires_at: ago(1) }, { expires_at: ago(-60) }].map((each) => keyPill(key(each), NOW).word), ["Works", "Off", "Over", "Works"]);
  assert.equal(keyOpens(key()), "Opens models.");
  assert.equal(keyOpens(key({ scopes: ["infer", "admin"], models: ["a"] })), "Opens models and this page; only a.");
  assert.equal(keyLimits(key(), NOW), "No limits.");
  assert.equal(plain(keyLimits(key({ requests_per_minute: 60, concurrency: 2, weight: 3 }), NOW)), "At most 60 requests a minute, 2 at once, 3 turns for one of others.");
  assert.equal(keyUse(key({ last_used_on: "2026-11-02" })), "Made by Alice. Last used on 2026-11-02.");
});

test("an empty form is a key without limits, and every mistake is said at its field", () => {
  const { key: made, problems } = keyOf({ ...emptyForm(), name: " n " }, NOW);
  assert.equal(problems.size, 0);
  assert.deepEqual(made, {
    name: "n", scopes: ["infer"], requests_per_minute: 0, tokens_per_minute: 0, concurrency: 0, weight: 1, models: [], expires_at: null,
  });
  const wrong = keyOf({ ...emptyForm(), infer: false, requests: "1.5", tokens: "-1", concurrency: "1e3", weight: "0", expires: "2001-01-01T00:00" }, NOW);
  assert.deepEqual([...wrong.problems.keys()].sort(), ["concurrency", "expires_at", "name", "requests_per_minute", "scopes", "tokens_per_minute", "weight"]);
  const full = keyOf({ ...emptyForm(), name: "n", admin: true, models: "a\n org/b ,, c", expires: "2999-01-01T00:00", tokens: " 900 " }, NOW).key;
  assert.deepEqual([full.models, full.scopes, full.tokens_per_minute], [["a", "org/b", "c"], ["infer", "admin"], 900]);
  assert.equal(full.expires_at, new Date("2999-01-01T00:00").toISOString());
});

test("of a standing key only what was touched is sent, and an end that is over stays as it is", () => {
  const standing = key({ name: "n", requests_per_minute: 60, weight: 3, models: ["a", "b"], expires_at: ago(60) });
  const before = formOf(standing);
  assert.deepEqual([before.requests, before.tokens, before.weight, before.models], ["60", "", "3", "a\nb"]);
  assert.equal(new Date(before.expires).getTime(), Math.floor(Date.parse(standing.expires_at) / 60000) * 60000);
  assert.deepEqual(changesOf(before, before, NOW), { changes: {}, problems: new Map() });
  const { changes } = changesOf(before, { ...before, requests: "", tokens: "900", weight: "", models: "a" }, NOW);
  assert.deepEqual(changes, { requests_per_minute: 0, tokens_per_minute: 900, weight: 1, models: ["a"] });
  assert.deepEqual(changesOf(before, { ...before, expires: "" }, NOW).changes, { expires_at: null });
  assert.deepEqual(changesOf(before, { ...before, expires: "2999-01-01T00:00" }, NOW).changes, { expires_at: new Date("2999-01-01T00:00").toISOString() });
  assert.deepEqual([...changesOf(before, { ...before, expires: "2001-01-01T00:00", concurrency: "x" }, NOW).problems.keys()], ["expires_at", "concurrency"]);
});

test("how a request ended, who asked and what it took", () => {
  const words = [{}, { status: 404 }, { status: null, end: "left" }, { end: "broken" }].map((each) => outcomePill(row(each)).word);
  assert.deepEqual(words, ["200", "404", "Left", "Cut short"]);
  assert.deepEqual([{ key: "k", user: "u", address: "a" }, { user: "u", address: "a" }, { address: "a" }, {}].map((each) => whoAsked(row(each))), ["k", "u", "a", "unknown"]);
  assert.equal(plain(rowNumbers(row())), "42 ms");
  assert.match(plain(rowNumbers(row({ total_ms: 65000, queue_ms: 5000, prompt_tokens: 4, completion_tokens: 8, tokens_estimated: true }))), /^1 min.*, waited 5 s, 4 \+ 8 tokens, estimated$/);
});

test("a filter is asked for as it was typed, and a file holds every page of it", () => {
  assert.equal(logQuery({ q: "a&b c", status: "", before: undefined }), "q=a%26b+c");
  assert.equal(exportAddress("csv", { q: "ä", status: "5xx", before: 9 }), "api/requests/export?format=csv&q=%C3%A4&status=5xx");
  assert.equal(momentOf(""), undefined);
  const from = momentOf("2026-11-02T08:00");
  assert.equal(exportAddress("json", { from, to: undefined }), `api/requests/export?format=json&from=${encodeURIComponent(String(from))}`);
});
