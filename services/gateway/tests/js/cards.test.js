import assert from "node:assert/strict";
import { test } from "node:test";

import { fitLine, hasRecipe, leadingAction, lesserActions, testLine } from "../../src/spark_gateway/static/card-lines.js";
import { cardState } from "../../src/spark_gateway/static/cards.js";
import { ago, download, host, menu, model, NOW, plain, stateOf, swap } from "./scenes.js";

const GIB = 2 ** 30;
const copies = (...pairs) => pairs.map(([name, state, more]) => ({ host: name, size_bytes: 24.9e9, state, ...more }));
const look = (each, changes = {}) => cardState(each, menu(changes.menu), changes.swaps ?? null, changes.downloads ?? null);
const fit = (needed, verdict) => ({ needed_bytes: needed * GIB, total_bytes: 119.7 * GIB, left_bytes: (111.7 - needed) * GIB, verdict });
const lead = (each, changes = {}) => {
  const state = stateOf(changes);
  const verdict = { may: "now", reason: "", ...changes.verdict };
  return leadingAction(each, cardState(each, state.menu, state.swaps, state.downloads), { state, verdict, now: NOW });
};
const lesser = (each, changes = {}) => {
  const state = stateOf(changes);
  const view = { state, verdict: { may: "now", reason: "", ...changes.verdict }, now: NOW };
  return lesserActions(each, cardState(each, state.menu, state.swaps, state.downloads), view).map((action) => plain(action.label));
};

test("what cannot be used says why", () => {
  const broken = look(model("a", { state: "incomplete", copies: copies(["spark1", "broken", { missing: ["config.json"] }]) }));
  assert.equal(broken.kind, "broken");
  assert.match(broken.text, /Spark 1 cannot be used. Not there yet: config.json/);
  const half = look(model("a", { state: "incomplete", expected_bytes: 60.8e9, copies: copies(["spark1", "incomplete", { missing: ["1", "2", "3", "4", "5"] }]) }));
  assert.deepEqual([half.kind, half.percent, plain(half.pill.word)], ["incomplete", 40, "40 % downloaded"]);
  assert.match(plain(half.text), /24\.9 GB of 60\.8 GB\. Not there yet: 1, 2, 3 and 2 more/);
  const empty = look(model("a", { state: "incomplete", copies: copies(["spark2", "no_snapshot", { size_bytes: 0 }]) }));
  assert.deepEqual([empty.kind, empty.pill.word, empty.percent], ["incomplete", "Not downloaded", undefined]);
  assert.equal(empty.text, "There is a folder for it on Spark 2, but no file in it yet.");
  const quarantined = look(model("a", { quarantine: { reason: "It froze Spark 1.", since: ago(60) } }));
  assert.equal(quarantined.kind, "quarantined");
  assert.match(quarantined.text, /It froze Spark 1\. It is not loaded until you let it/);
  assert.equal(look(model("a", { fit: fit(120, "bad") })).kind, "too_big");
  assert.equal(look(model("a", { fit: fit(120, "unknown") })).kind, "ready");
  assert.equal(look(model("a", { local_path: "/m" })).pill.word, "Local");
});

test("a loaded model that answers badly is not called well", () => {
  const each = model("alpha", { loaded: true });
  const bad = look(each, { menu: { runtime: { state: "degraded", model: "alpha", detail: "Gibberish." } } });
  assert.deepEqual([bad.kind, bad.pill.tone, bad.text], ["degraded", "bad", "Gibberish."]);
});

test("a running download is seen on its card, whatever the disk says", () => {
  const downloads = { running: [download({ repo: "ORG/a" })], recent: [] };
  const seen = look(model("a", { state: "incomplete", copies: copies(["spark1", "incomplete"]) }), { downloads });
  assert.equal(seen.kind, "downloading");
  assert.equal(seen.percent, 41);
  assert.match(plain(seen.text), /24\.9 GB of 60\.0 GB · 92 MB\/s · about 6 min 30 s left/);
  const loaded = look(model("a", { loaded: true }), { downloads });
  assert.equal(loaded.kind, "loaded");
});

test("the fit line has numbers of its own", () => {
  const line = (each, more) => plain(Object.values(fitLine(model("a", { fit: each, ...more }), menu())).slice(2, 4).join(" | "));
  assert.equal(line(fit(95.8, "good")), "Fits Spark 1 | 95.8 of 119.7 GB");
  assert.equal(line(fit(112.9, "bad"), { mode: "cluster" }), "Too big for both Sparks | 1.2 GB short");
  assert.equal(line(fit(40, "unknown")), "Not known whether it fits | 40.0 of 119.7 GB");
  assert.equal(line(fit(40, "good"), { copies: copies(["spark2", "ready"]) }).split(" |")[0], "Fits Spark 2");
  assert.equal(fitLine(model("a"), menu()), null);
});

test("a passed test always adds that a load can still fail", () => {
  const line = (test, more) => testLine(model("a", { test: { kind: "test", sentence: "It says so", at: ago(240), ...test }, ...more }), NOW);
  assert.equal(plain(line({ verdict: "good" }).text), "Test passed 4 min ago: It says so. A real load can still fail.");
  assert.equal(plain(line({ verdict: "bad" }).text), "Test failed 4 min ago: It says so.");
  assert.equal(plain(line({ verdict: "unknown" }).text), "Not fully tested 4 min ago: It says so.");
  assert.equal(plain(line({ verdict: "bad", kind: "load" }).text), "Did not start 4 min ago: It says so.");
  assert.equal(line({ verdict: "good", kind: "load" }), null);
  assert.equal(line({ verdict: "good" }, { loaded: true }), null);
});

test("a card leads with the one thing that helps", () => {
  assert.equal(lead(model("a")).label, "Switch to this…");
  assert.equal(lead(model("a"), { verdict: { may: "queue" } }).label, "Queue a swap…");
  assert.equal(lead(model("a", { state: "needs_setup" })).wish, "open-setup");
  assert.equal(lead(model("a", { fit: fit(130, "bad") })).wish, "open-advanced");
  assert.equal(lead(model("a", { test: { kind: "test", verdict: "bad", sentence: "x", at: ago(5) } })).label, "Fix in Advanced…");
  assert.equal(lead(model("a", { test: { kind: "load", verdict: "bad", sentence: "x", at: ago(5) } })).wish, "switch-model");
  assert.equal(lead(model("a", { quarantine: { reason: "x", since: ago(5) } })).label, "Let it load again…");
  assert.equal(lead(model("alpha", { loaded: true })), null);
  const half = lead(model("a", { state: "incomplete", copies: copies(["spark2", "incomplete"], ["spark1", "ready"]) }));
  assert.deepEqual([half.label, half.detail], ["Resume download", { repo: "org/a", hosts: ["spark2"] }]);
  const lone = lead(model("a", { mode: "cluster", state: "incomplete", copies: copies(["spark1", "ready"]) }));
  assert.deepEqual([lone.label, lone.detail.hosts], ["Download to Spark 2…", ["spark2"]]);
  const running = lead(model("a"), { downloads: { running: [download({ repo: "org/a" })], recent: [] } });
  assert.deepEqual([running.label, running.detail], ["Cancel download…", { id: "d1" }]);
});

test("of what is broken only the broken copies go", () => {
  const one = lead(model("a", { state: "incomplete", copies: copies(["spark1", "broken"]) }));
  assert.deepEqual([one.wish, plain(one.label), one.detail], ["delete-model", "Delete 24.9 GB…", { key: "a", hosts: ["spark1"] }]);
  const cluster = lead(model("a", { mode: "cluster", state: "incomplete", copies: copies(["spark1", "ready"], ["spark2", "broken"]) }));
  assert.deepEqual([plain(cluster.label), cluster.detail], ["Delete 24.9 GB…", { key: "a", hosts: ["spark2"] }]);
});

test("the menu holds the rest, and never what must not be pressed", () => {
  assert.deepEqual(lesser(model("a")), ["Download to Spark 2…", "Delete 20.0 GB…"]);
  assert.deepEqual(lesser(model("a", { local_path: "/m", source: "own" })), ["Take it off the list…"]);
  assert.deepEqual(lesser(model("a", { loaded: true, copies: copies(["spark1", "ready"], ["spark2", "ready"]) })), []);
  assert.deepEqual(lesser(model("beta"), { swaps: { current: swap("loading"), queue: [], recent: [] } }), ["Download to Spark 2…"]);
  assert.deepEqual(lesser(model("a", { fit: fit(130, "bad"), copies: copies(["spark1", "ready"], ["spark2", "ready"]) })), ["Switch to this…", "Delete 49.8 GB…"]);
  assert.deepEqual(lesser(model("a", { fit: fit(130, "bad"), copies: [] }), { verdict: { may: "no" } }), []);
  assert.deepEqual(lesser(model("a", { state: "incomplete", copies: copies(["spark1", "broken"]) })), ["Download it again…"]);
  const cluster = { mode: "cluster", state: "incomplete", copies: copies(["spark1", "ready"], ["spark2", "broken"]) };
  assert.deepEqual(lesser(model("a", cluster)), ["Download it again…"]);
  assert.deepEqual(lesser(model("a", { source: "own", copies: copies(["spark1", "ready"], ["spark2", "ready"]) })), ["Delete 49.8 GB…", "Remove the recipe…"]);
});

test("only what has a recipe can be tested and changed", () => {
  assert.equal(hasRecipe(model("a")), true);
  assert.equal(hasRecipe(model("a", { state: "incomplete" })), true);
  for (const state of ["needs_setup", "incomplete", "downloading"]) assert.equal(hasRecipe(model("a", { state, source: null })), false);
});

test("with one Spark nothing is copied anywhere", () => {
  assert.deepEqual(lesser(model("a"), { menu: menu({ hosts: [host(1)] }) }), ["Delete 20.0 GB…"]);
});
