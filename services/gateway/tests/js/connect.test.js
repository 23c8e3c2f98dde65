import assert from "node:assert/strict";
import { test } from "node:test";

import { nameForApps } from "../../src/spark_gateway/static/menu.js";
import { CLIENTS, addresses, isOnlyHere, pageLink } from "../../src/spark_gateway/static/late/connect/snippets.js";
import { menu, stateOf, swap } from "./scenes.js";

const place = { origin: "http://spark-control:9999", model: "Qwen3.6", key: "none", embedder: "BAAI/bge-m3" };

test("every client is told this address, and this model where it takes one", () => {
  const names = CLIENTS.map(({ id }) => id);
  assert.equal(new Set(names).size, names.length);
  for (const wanted of ["curl", "openai-python", "openai-js", "anthropic", "claude-code", "open-webui", "langchain", "home-assistant"]) assert.ok(names.includes(wanted), wanted);
  for (const { id, code, help } of CLIENTS) {
    assert.ok(code(place).includes("http://spark-control:9999"), id);
    if (!["home-assistant", "n8n", "speech", "open-webui"].includes(id)) assert.ok(code(place).includes("Qwen3.6"), id);
    assert.ok(help.length > 0 && !code(place).includes("undefined"), id);
  }
  assert.ok(addresses(place.origin).every(({ value }) => value.startsWith(place.origin)));
});

test("the name is of the loaded model, or of the one that comes", () => {
  const going = (phase) => ({ current: swap(phase), queue: [], recent: [] });
  assert.deepEqual(nameForApps(stateOf()), { model: "alpha", next: false });
  assert.deepEqual(nameForApps(stateOf({ swaps: going("loading") })), { model: "beta", next: true });
  assert.deepEqual(nameForApps(stateOf({ swaps: going("rolling_back") })), { model: "alpha", next: false });
  assert.deepEqual(nameForApps(stateOf({ menu: menu({ runtime: { state: "idle" }, models: [] }) })), { model: null, next: false });
});

test("who may follow which address", () => {
  for (const here of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"]) assert.ok(isOnlyHere(here), here);
  for (const there of ["spark-control", "192.0.2.7", "localhost.example"]) assert.ok(!isOnlyHere(there), there);
  assert.equal(pageLink("https://chat.example/x"), "https://chat.example/x");
  for (const odd of ["javascript:alert(1)", "data:text/html,x", " JaVaScRiPt:alert(1)", "chat.example", "", null, 7]) assert.equal(pageLink(odd), null, String(odd));
});
