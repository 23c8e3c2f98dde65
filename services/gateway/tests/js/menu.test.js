import assert from "node:assert/strict";
import { test } from "node:test";

import { cardState } from "../../src/spark_gateway/static/cards.js";
import { capabilityWords, choose, copyWord, isStale, servingName } from "../../src/spark_gateway/static/menu.js";
import { ago, host, menu, model, NOW, swap } from "./scenes.js";

const copies = (...pairs) => pairs.map(([name, state]) => ({ host: name, size_bytes: 24.9e9, state }));
const DOWN = [host(1), host(2, { state: "unreachable" })];
const kind = (each, hosts = [host(1), host(2)], swaps = null) => cardState(each, menu({ hosts }), swaps).kind;

test("a card shows one state, the first that applies", () => {
  assert.equal(kind(model("a")), "ready");
  assert.equal(kind(model("a", { loaded: true })), "loaded");
  assert.equal(kind(model("a", { state: "needs_setup" })), "needs_setup");
  assert.equal(kind(model("a", { state: "incomplete", copies: copies(["spark1", "incomplete"]) })), "incomplete");
  assert.equal(kind(model("a", { state: "downloading", copies: copies(["spark1", "downloading"]) })), "downloading");
  assert.equal(kind(model("a", { state: "missing", copies: [] })), "missing");
  assert.equal(kind(model("a", { mode: "cluster" }), DOWN), "host_down");
  assert.equal(kind(model("a", { copies: copies(["spark2", "ready"]) }), DOWN), "host_down");
  assert.equal(kind(model("a", { copies: copies(["spark1", "ready"], ["spark2", "ready"]) }), DOWN), "ready");
});

test("a running swap is seen on the cards it concerns", () => {
  const swaps = { current: swap("loading", { model: "b" }), queue: [swap("queued", { id: "s2", model: "c" })], recent: [] };
  assert.equal(kind(model("b"), undefined, swaps), "loading");
  assert.equal(kind(model("c"), undefined, swaps), "queued");
  assert.equal(kind(model("a", { loaded: true }), undefined, swaps), "leaving");
  const checking = { ...swaps, current: swap("preflight", { model: "b" }) };
  assert.equal(kind(model("a", { loaded: true }), undefined, checking), "loaded");
});

test("a half download says how much is there", () => {
  const { text } = cardState(model("a", { state: "incomplete", copies: copies(["spark1", "incomplete"]) }), menu(), null);
  assert.match(text.replaceAll("\u00a0", " "), /24\.9 GB on Spark 1/);
});

test("what lies on a disk is said per Spark", () => {
  const each = model("a", { copies: [{ host: "spark1", size_bytes: 20e9, state: "ready", stale: true }, ...copies(["spark2", "incomplete"])] });
  assert.equal(copyWord(each, host(1)).replaceAll("\u00a0", " "), "20.0 GB, as last seen");
  assert.equal(copyWord(each, host(2)).replaceAll("\u00a0", " "), "24.9 GB, not complete");
  assert.equal(copyWord(model("a"), host(2)), "not there");
});

test("words and filters narrow the menu", () => {
  const full = menu({
    models: [model("qwen-a", { capabilities: ["vision"] }), model("qwen-b", { state: "needs_setup" }), model("gone", { state: "missing", copies: [] })],
    recipes: [{ key: "qwen-a", name: "A", repo: "x/a", mode: "solo" }, { key: "deep", name: "Deep", repo: "x/deep", mode: "cluster" }],
  });
  const keys = (words, filter) => choose(full, words, filter).cards.map((each) => each.key);
  assert.deepEqual(keys("", "all"), ["qwen-a", "qwen-b"]);
  assert.deepEqual(keys("", "ready"), ["qwen-a"]);
  assert.deepEqual(keys("", "setup"), ["qwen-b"]);
  assert.deepEqual(keys("VISION qwen", "all"), ["qwen-a"]);
  assert.deepEqual(keys("nothing", "all"), []);
  assert.deepEqual(choose(full, "", "all").away.map((each) => each.key), ["gone", "deep"]);
  assert.deepEqual(choose(full, "", "ready").away, []);
});

test("what serves has a name even off the menu", () => {
  assert.equal(servingName(menu()), "ALPHA");
  assert.equal(servingName(menu({ runtime: { state: "serving", served_name: "mine" } })), "mine");
  assert.equal(servingName(menu({ runtime: { state: "starting", model: "alpha" } })), null);
  assert.equal(servingName(null), null);
});

test("a Spark that was not seen for long is stale, and one never seen too", () => {
  assert.equal(isStale(host(1), NOW), false);
  assert.equal(isStale(host(1, { seen_at: ago(600) }), NOW), true);
  assert.equal(isStale(host(1, { seen_at: null }), NOW), true);
  assert.equal(isStale(host(1, { state: "unreachable", seen_at: null }), NOW), false);
});

test("where a model runs leads its abilities", () => {
  assert.deepEqual(capabilityWords(model("a", { mode: "cluster", capabilities: ["vision", "sing"] }), 2), ["Both Sparks", "Pictures", "sing"]);
  assert.equal(capabilityWords(model("a", { mode: "cluster" }), 3)[0], "All Sparks");
});
