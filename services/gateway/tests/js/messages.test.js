import assert from "node:assert/strict";
import { test } from "node:test";

import { deliveryPill, deliveryWords, targetForm, targetOf, targetPill, targetPlace, targetTrouble } from "../../src/spark_gateway/static/late/activity/messages.js";
import { ago, NOW, plain } from "./scenes.js";

const target = (changes = {}) => ({
  id: "ops", name: "Ops", kind: "webhook", url: "https://host/hook", address: null, has_secret: true, topics: ["swap"], enabled: true,
  disabled_because: null, from_settings: false, pending: 0, dead: 0, last_status: 200, last_error: null, next_try_at: null, ...changes,
});
const delivery = (changes = {}) => ({
  id: "d", target: "ops", event_id: "e", type: "swap.complete", state: "delivered", tries: 1, status: 200, latency_ms: 41.6, error: null,
  created_at: ago(60), tried_at: ago(59), next_try_at: null, test: false, ...changes,
});

test("how a target stands, the worst first", () => {
  const words = (changes) => targetPill(target(changes)).word;
  assert.equal(words({}), "Works");
  assert.equal(words({ last_status: null }), "Nothing sent yet");
  assert.equal(words({ pending: 3 }), "3 waiting");
  assert.equal(words({ pending: 3, dead: 1 }), "1 given up");
  assert.equal(words({ enabled: false, dead: 1 }), "Off");
});

test("what is wrong and what comes next is a sentence", () => {
  assert.equal(targetTrouble(target(), NOW), "");
  const said = targetTrouble(target({ last_error: "it answered 503", dead: 1, pending: 2, next_try_at: ago(-600) }), NOW);
  assert.match(said, /^It answered 503\. 2 more waiting\. Next try today \d\d:\d\d\.$/);
  assert.match(targetTrouble(target({ dropped: 4 }), NOW), /^4 more were dropped/);
  assert.match(targetTrouble(target({ disabled_because: "It answered 410." }), NOW), /410/);
});

test("where it goes is told without what is secret", () => {
  assert.equal(targetPlace(target()), "Webhook: https://host/hook, signed");
  assert.equal(targetPlace(target({ has_secret: false })), "Webhook: https://host/hook, not signed");
  assert.equal(targetPlace(target({ kind: "ntfy", url: null, address: "ntfys://host" })), "ntfy: ntfys://host");
});

test("how a delivery went", () => {
  assert.equal(plain(deliveryWords(delivery(), NOW)), "1 try, status 200, 42 ms");
  assert.equal(plain(deliveryWords(delivery({ latency_ms: 2500, tries: 4, status: null }), NOW)), "4 tries, 3 s");
  assert.match(deliveryWords(delivery({ state: "pending", next_try_at: ago(-60), latency_ms: null, status: 503 }), NOW), /^1 try, status 503, next try today/);
  assert.deepEqual(["delivered", "dead", "pending"].map((state) => deliveryPill({ state }).word), ["Delivered", "Given up", "Waiting"]);
});

test("a secret that is not typed is not sent, and one that is cleared is not both", () => {
  const base = target();
  assert.deepEqual(targetOf(targetForm(base), base).target, { name: "Ops", kind: "webhook", topics: ["swap"], enabled: true, url: "https://host/hook", clear_secret: false });
  assert.equal(targetOf({ ...targetForm(base), secret: "s" }, base).target.secret, "s");
  const cleared = targetOf({ ...targetForm(base), secret: "s", clear_secret: true }, base).target;
  assert.equal(cleared.clear_secret, true);
  assert.ok(!("secret" in cleared));
});

test("an address stays when nothing is typed, and is needed when there is none", () => {
  const base = target({ kind: "ntfy", url: null, address: "ntfys://host" });
  const kept = targetOf(targetForm(base), base);
  assert.equal(kept.problems.size, 0);
  assert.ok(!("address" in kept.target) && !("url" in kept.target) && !("secret" in kept.target));
  assert.deepEqual([...targetOf({ ...targetForm(base), kind: "email" }, base).problems.keys()], ["address"]);
  assert.deepEqual([...targetOf({ ...targetForm(null), id: "", url: "host/hook", topics: [] }, null).problems.keys()], ["id", "url", "topics"]);
});
