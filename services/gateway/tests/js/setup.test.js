import assert from "node:assert/strict";
import { test } from "node:test";

import { loginOf, neverConnected, outcome } from "../../src/spark_gateway/static/late/setup/words.js";
import { host, menu, stateOf } from "./scenes.js";

const hosts = [1, 2].map((number) => ({ name: `spark${number}`, label: `Spark ${number}`, address: "192.0.2.7", user: "alice", ssh_port: 22 }));
const tests = (...each) => new Map(each.map(([number, ok, lacks = false]) => [`spark${number}`, { ok, steps: [{ ok: !lacks }] }]));

test("the guide comes by itself until a Spark let us in", () => {
  const never = (number) => host(number, { state: "unreachable", seen_at: null });
  const of = (...each) => neverConnected(stateOf({ menu: menu({ hosts: each }) }));
  assert.ok(of(never(1), never(2)));
  for (const other of [host(2), host(2, { state: "unreachable" }), host(2, { state: "unknown", seen_at: null })]) assert.ok(!of(never(1), other));
  assert.ok(!of());
});

test("it ends when every Spark was tested", () => {
  assert.equal(outcome(hosts, tests()), null);
  assert.match(outcome(hosts, tests([1, true])).text, /^Test Spark 2 too/);
  assert.match(outcome(hosts, tests([1, true], [2, false])).title, /^Spark 2 cannot be used yet/);
  assert.deepEqual([outcome(hosts, tests([1, true], [2, true])).title, outcome(hosts, tests([1, true], [2, true])).tone], ["Both Sparks are connected", "ok"]);
  assert.match(outcome(hosts, tests([1, true], [2, true, true])).text, /^Spark 2 still lacks/);
  assert.equal(outcome(hosts.slice(0, 1), tests([1, true])).title, "Spark 1 is connected");
});

test("one logs in as the settings say", () => {
  assert.equal(loginOf(hosts[0]), "ssh alice@192.0.2.7");
  assert.equal(loginOf({ ...hosts[0], ssh_port: 2222 }), "ssh -p 2222 alice@192.0.2.7");
});
