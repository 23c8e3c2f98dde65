import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { Frames } from "../../src/spark_gateway/static/late/events/frames.js";
import { KINDS, fits, lineOf, shortType } from "../../src/spark_gateway/static/late/events/words.js";

const event = (type, data = {}) => ({ id: "1", source: "test", type: `spark.${type}.v1`, time: "2026-03-02T12:00:00Z", data });

test("a stream says the same however it is cut", () => {
  const text = ": hello\n\nevent: swap.complete\ndata: {\"a\":\ndata: 1}\nid: 1-a\n\n: keep-alive\nid: 1-b\n\n";
  const expected = [["", "", null], ["swap.complete", '{"a":\n1}', "1-a"], ["", "", "1-b"]];
  for (let at = 0; at <= text.length; at += 1) {
    const frames = new Frames();
    const found = [text.slice(0, at), text.slice(at)].flatMap((piece) => frames.push(piece));
    assert.deepEqual(found.map(({ event: name, data, id }) => [name, data, id]), expected, `cut at ${at}`);
  }
});

test("every event that is replayed has a kind, and says something whatever is missing", () => {
  const names = readdirSync(new URL("../../../../docs/events/", import.meta.url)).filter((name) => name.endsWith(".v1.json")).map((name) => name.replace(".v1.json", ""));
  const kinds = KINDS.flatMap(({ types }) => types);
  const replayed = names.filter((name) => /^(swap\.(accepted|rejected|complete|failed)|(download|update|install|overlay)\.(complete|failed)|lock\..*|schedule\..*|health\.(transition|checked)|service\.action)$/.test(name));
  assert.ok(replayed.length > 25);
  for (const name of replayed) {
    assert.ok(kinds.some((kind) => (kind.endsWith("*") ? name.startsWith(kind.slice(0, -1)) : kind === name)), name);
    for (const data of [{}, null, [], { requested_by: 7, cause: null, reason: null }]) {
      const { title, text } = lineOf(event(name, data));
      assert.equal(title, name);
      assert.ok(!/undefined|null|\[object/.test(text), `${name}: ${text}`);
    }
  }
});

test("an event is a sentence, and is found by what is in it", () => {
  const ready = event("swap.complete", { model: "beta", total_seconds: 80, requested_by: "Alice" });
  assert.match(lineOf(ready).text.replaceAll("\u00a0", " "), /^beta is ready after 1 min 20 s, asked for by Alice\.$/);
  assert.deepEqual([lineOf(ready).tone, lineOf(event("swap.failed", { outcome: "rolled_back" })).tone], ["ok", "bad"]);
  assert.equal(lineOf(event("health.transition", { to: "down", from: "up", label: "Spark 1" })).tone, "bad");
  const left = { holder: "Bob", why: "disappeared" };
  assert.equal(lineOf(event("lock.dropped", left)).text, "Bob was not heard of and lost the place in line.");
  assert.equal(lineOf(event("lock.queue", { queue: [{ holder: "Alice" }, { holder: "Bob" }] })).text, "In line: Alice, Bob.");
  assert.equal(lineOf(event("lock.queue", { queue: [] })).text, "Nobody stands in line.");
  assert.equal(lineOf(event("brand.new", { name: "x", message: "y" })).text, "x: y.");
  assert.equal(shortType("spark.lock.yield_requested.v2"), "lock.yield_requested");
  assert.ok(fits(ready, " ALICE ") && fits(ready, "") && fits(ready, "swap.complete") && !fits(ready, "gamma"));
});
