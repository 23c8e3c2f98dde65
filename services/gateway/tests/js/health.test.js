import assert from "node:assert/strict";
import { test } from "node:test";

import { serviceCount, unwell } from "../../src/spark_gateway/static/health-words.js";
import { gaugesOf, sparkline } from "../../src/spark_gateway/static/late/hardware/charts.js";
import { ageWords, answeringPill, factsOf, heardOf, memoryHead, memoryParts, memoryWords, remarks, wakeWords } from "../../src/spark_gateway/static/late/hardware/looks.js";
import { offQuestion } from "../../src/spark_gateway/static/late/hardware/questions.js";
import { anchor, chapter } from "../../src/spark_gateway/static/late/hardware/runbook.js";
import { csvOf, lastWords, percentWords, statePill, strip, stripWords } from "../../src/spark_gateway/static/late/uptime/strips.js";
import { windowOf } from "../../src/spark_gateway/static/late/uptime/windows.js";
import { initialState, reduce } from "../../src/spark_gateway/static/store.js";
import { judge } from "../../src/spark_gateway/static/verdict.js";
import { ago, host, menu, NOW, plain, snapshot, swap } from "./scenes.js";
import { deep, hardware, health, service, target } from "./watched.js";

const said = (changes) => reduce(initialState(), { type: "snapshot", data: snapshot(changes), at: NOW });
const known = (state, name, value, at = NOW) => reduce(state, { type: "known", data: { name, value }, at });

test("all is well only when every service is, whoever says it", () => {
  const well = said({ health: health(target("kokoro")) });
  assert.equal(judge(well, NOW).overall.title, "All well");
  assert.match(plain(judge(well, NOW).well.text), /^2 Sparks, 1 service and 1 part of/);
  const scenes = {
    "Kokoro is down": said({ health: health(target("kokoro", { state: "down", level: "down", reason: "nothing listens" })) }),
    "Kokoro is not right": said({ health: health(target("kokoro", { state: "degraded", level: "degraded" })) }),
    "Kokoro not seen lately": said({ health: health(target("kokoro", { state: "unknown", level: "unknown", stale: true })) }),
    "Spark 2 cannot be reached": said({ health: health(target("spark2", { kind: "host", state: "down", level: "down" })) }),
    "Parakeet is not right": known(well, "deep", { services: [deep("parakeet", { last: { state: "wedged", sentence: "stuck", at: ago(5) } })] }),
  };
  for (const [title, scene] of Object.entries(scenes)) {
    assert.equal(judge(scene, NOW).overall.title, title);
    assert.notEqual(judge(scene, NOW).well.tone, "ok", title);
  }
});

test("what is away with its Spark, kept on purpose or merely old is no fault of its own", () => {
  const state = said({ health: health(
    target("kokoro", { level: "down", because: "spark2" }), target("qdrant", { level: "down", maintenance: true }),
    target("embeddings", { level: "down", state: "down", stale: true }), target("vllm", { level: "down" }),
  ) });
  assert.deepEqual(unwell(state, NOW).failing.map((each) => each.name), ["embeddings"]);
  assert.deepEqual(unwell(state, NOW).unseen, []);
  assert.deepEqual(serviceCount(state, NOW), { tone: "bad", text: "1", words: "not well" });
  assert.equal(serviceCount({ ...state, link: "lost" }, NOW), null);
});

test("a failed check counts while it is fresh, and no more once a restart came after it", () => {
  const well = said({ health: health(target("parakeet")) });
  const stuck = deep("parakeet", { last: { state: "wedged", sentence: "stuck", at: ago(5) } });
  const restarted = { ...stuck, remedy: { ...stuck.remedy, last_restart_at: ago(1) } };
  const open = { ...restarted, remedy: { ...restarted.remedy, state: "open" } };
  const count = (each, at) => unwell(known(well, "deep", { services: [each] }, at), NOW).failing.length;
  assert.deepEqual([count(stuck, NOW), count(stuck, NOW - 91_000), count(restarted, NOW), count(open, NOW)], [1, 0, 0, 1]);
});

test("numbers of a Spark are old when they were read long ago, or heard long ago", () => {
  const heard = (changes, at) => heardOf({ value: { hosts: [hardware(changes)] }, problem: "", at }, "spark1", NOW);
  assert.equal(heard({}, NOW - 3000).stale, false);
  assert.equal(heard({}, NOW - 3000).age, 5);
  assert.equal(heard({ stale: true, age_seconds: 300 }, NOW).stale, true);
  assert.equal(heard({}, NOW - 41_000).stale, true);
  assert.equal(heard({ age_seconds: null }, NOW).stale, true);
  assert.equal(plain(ageWords(heard({ stale: true, age_seconds: 300 }, NOW), NOW)), "These numbers are old: read 5 min ago.");
  assert.equal(ageWords(heard({}, NOW), NOW), "");
  assert.equal(ageWords(heardOf({ value: null, problem: "Nobody answers.", at: 0 }, "spark1", NOW), NOW), "Nothing is known of the machine: Nobody answers.");
  assert.equal(heardOf(undefined, "spark1", NOW).hardware, null);
});

test("how a Spark answers has a word of its own, and well has none", () => {
  const words = ["well", "slow", "partly", "hung", "dead", "refused", "unknown", "something new"].map((answering) => answeringPill(hardware({ answering }))?.tone ?? null);
  assert.deepEqual(words, [null, "warn", "warn", "bad", "bad", "bad", null, null]);
});

test("memory is split among who takes it, and what nobody said is not zero", () => {
  const split = memoryParts(hardware());
  assert.deepEqual(split.parts.map((part) => [part.use, Math.round(part.size)]), [["model", 94], ["speech", 1], ["other", 6], ["system", 2]]);
  assert.ok(Math.abs(split.total - split.free - split.parts.reduce((sum, part) => sum + part.size, 0)) < 1e-9);
  const silent = memoryParts(hardware({ consumers: [{ name: "vllm", bytes: null, share: null }] }));
  assert.deepEqual(memoryWords(silent).map((each) => each.text), ["Model: not said", `Free ${silent.free.toFixed(1)}`]);
  assert.equal(memoryParts(hardware({ memory: null })), null);
  assert.match(plain(memoryHead(hardware({ memory: { total: 100e9, available: 2e9, used: 98e9 } })).free), /tight$/);
});

test("what is not said is no fact and no zero", () => {
  const bare = hardware({ disk: null, uptime_seconds: null, routes: [], gpu: null, load: [], memory: null, consumers: [] });
  assert.deepEqual(factsOf(bare), []);
  assert.deepEqual(gaugesOf(bare).map((gauge) => gauge.value), Array(6).fill("not said"));
  const full = Object.fromEntries(factsOf(hardware({ disk: { total: 1e12, used: 0.99e12, available: 0.01e12 } })));
  assert.match(plain(full.Disk), /nearly full$/);
  assert.equal(full.Network, "cable, also Wi-Fi");
  assert.deepEqual(remarks(hardware({ driver_mismatch: true, clock_skew_seconds: -90, gpu_problem: "nvidia-smi hangs", unread: ["docker did not answer"] })).map(plain), [
    "Driver and library are of different versions: start it anew.", "Its clock is 1 min 30 s behind.", "Nvidia-smi hangs.", "Docker did not answer.",
  ]);
});

test("a line has a gap where nothing was read, and says what it shows", () => {
  const gauge = gaugesOf(hardware())[0];
  const at = (seconds, gpu_percent) => ({ at: ago(seconds), gpu_percent });
  const history = { host: "spark1", span: "hour", step_seconds: 20, points: [at(1800, 10), at(1780, 90), at(60, 50), at(40, null), at(20, 40)] };
  const { line, area, label } = sparkline(history, gauge, NOW);
  assert.equal(line.match(/M/g).length, 2);
  assert.equal(area.match(/z/g).length, 2);
  assert.equal(label, "GPU load over the last hour: between 10 and 90, now 94 %");
  assert.equal(sparkline(null, gauge, NOW).label, "GPU load over the last hour: nothing was read");
  const alone = sparkline({ ...history, points: [at(1800, 0)] }, gauge, NOW);
  assert.match(alone.line, /^M60 25H60\.6$/);
  for (const word of [line, area, alone.line]) assert.doesNotMatch(word, /NaN|Infinity/);
});

test("waking is told until it came to something, and then for an hour", () => {
  const wake = (changes) => hardware({ wake: { state: "waiting", sentence: "called", via: "spark2", sent_at: ago(60), until: ago(-120), requested_by: "Alice", ...changes } });
  assert.match(wakeWords(wake(), NOW).text, /^Called\. Watched until \d\d:\d\d\.$/); // no countdown: it is read out
  assert.equal(wakeWords(wake({ state: "gave_up" }), NOW).tone, "bad");
  assert.equal(wakeWords(wake({ state: "awake", sent_at: ago(7200) }), NOW), null);
  assert.equal(wakeWords(hardware(), NOW), null);
});

test("turning a Spark off says what stops, and for whom", () => {
  const state = known(said({ swaps: { current: swap("loading"), queue: [], recent: [] }, lease: { state: "held", holder: "crm-sync", remaining_seconds: 600, epoch: 7, queue: [], yields: [] } }),
    "services", { services: [service("parakeet"), service("qdrant", { host: "spark2" }), service("kokoro", { state: "down" })] });
  const { title, effects, tone } = offQuestion(state, { name: "spark1", label: "Spark 1", action: "shutdown" }, NOW);
  const words = effects.map((effect) => effect.what).join(" ");
  assert.equal(title, "Shut Spark 1 down?");
  assert.equal(tone, "danger-fill");
  assert.match(words, /ALPHA stops: no chat for anybody\. Parakeet stops\. The swap to BETA fails\. crm-sync has reserved the Sparks\. It stays off\. Spark 2 goes on\./);
  const unknown = offQuestion(said({ menu: menu({ hosts: [host(1), host(2)], models: [] }) }), { name: "spark2", label: "Spark 2", action: "reboot" }, NOW);
  assert.match(unknown.effects[0].what, /^Every service on Spark 2 stops/);
});

test("a chapter of the runbook is found by its anchor, as blocks without marks", () => {
  const text = "# Runbook\n\n## One thing\n\nA `b` and **c**, see [d](e.md).\n\n1. First\n2. Second\n\n```sh\nsudo x | y\n```\n\n| a | b |\n|---|---|\n| `dead` | gone |\n\n## Another, with 30 W\n\nText.\n";
  assert.equal(anchor("Another, with 30 W"), "another-with-30-w");
  const { title, blocks } = chapter(text, "one-thing");
  assert.equal(title, "One thing");
  assert.deepEqual(blocks, [
    { kind: "p", lines: ["A b and c, see d."] }, { kind: "ol", lines: ["First", "Second"] }, { kind: "pre", lines: ["sudo x | y"] }, { kind: "table", lines: ["| a | b |", "| dead | gone |"] },
  ]);
  assert.equal(chapter(text, "nothing"), null);
});

const DAY = 24 * 3600_000;
const change = (after, since, changes = {}) => ({ id: String(since), target: "kokoro", label: "Voice", before: "up", after, reason: "", since: ago(since), until: null, seconds: since, before_seconds: 60, maintenance: false, ...changes });
const cells = (own, changes = {}) => strip(own, { watched: ago(30 * 86400), level: "up", from: NOW - DAY, now: NOW, known: 0, ...changes });

test("a strip shows the worst of each cell, and nothing where nobody watched", () => {
  assert.deepEqual(cells([]), [{ x: 0, width: 48, level: "up" }]);
  const out = [change("up", 12 * 3600 - 60, { before: "down" }), change("down", 12 * 3600, { until: ago(12 * 3600 - 60), seconds: 60 })];
  assert.deepEqual(cells(out), [{ x: 0, width: 24, level: "up" }, { x: 24, width: 1, level: "down" }, { x: 25, width: 23, level: "up" }]);
  assert.deepEqual(cells([change("down", 3600)], { level: "down" }).at(-1), { x: 46, width: 2, level: "down" });
  assert.deepEqual(cells([], { watched: ago(3600) }), [{ x: 0, width: 46, level: "none" }, { x: 46, width: 2, level: "up" }]);
  assert.equal(cells([], { watched: null })[0].level, "none");
  assert.equal(cells([change("down", 3600, { maintenance: true })], { level: "down" }).some((cell) => cell.level === "down"), false);
  assert.deepEqual(cells([], { known: NOW - DAY / 2 })[0], { x: 0, width: 24, level: "none" });
  for (const own of [out, [], [change("degraded", 10)]]) assert.equal(cells(own).reduce((sum, cell) => sum + cell.width, 0), 48);
});

test("uptime is never rounded up, and nothing watched is no number", () => {
  assert.deepEqual([100, 99.996, 99.95, 98.4567, 0, null].map((each) => plain(percentWords(each))), ["100 %", "99.99 %", "99.95 %", "98.4 %", "0 %", "not watched"]);
});

test("the strip in words", () => {
  assert.equal(stripWords([], "up", NOW), "No change");
  assert.match(plain(stripWords([change("down", 600)], "down", NOW)), /^Once down for 10 min, since/);
  assert.match(plain(stripWords([change("down", 600, { until: ago(540), seconds: 60 }), change("down", 9000, { until: ago(8000), seconds: 1000 })], "up", NOW)), /^Down 2 times, at longest 16 min 40 s/);
  assert.equal(stripWords([change("up", 600, { before: "unknown" })], "up", NOW), "Never down");
  assert.equal(statePill("up", true).word, "Not known");
});

test("what answered and could not work is seen and said", () => {
  const stuck = { target: "parakeet", state: "wedged", sentence: "", since: ago(3600), until: ago(3480), restarted: true };
  assert.deepEqual(cells([], { failures: [stuck] }), [{ x: 0, width: 46, level: "up" }, { x: 46, width: 1, level: "slow" }, { x: 47, width: 1, level: "up" }]);
  assert.match(plain(lastWords([], NOW, [stuck])), /^stuck for 2 min, .*, until a restart$/);
  assert.match(plain(stripWords([], "up", NOW, [stuck])), /^No change; stuck for 2 min/);
  assert.match(plain(lastWords([], NOW, [{ ...stuck, state: "failing", until: null }])), /^failed its check for 1 h, since /);
  assert.match(lastWords([change("up", 60, { before: "down" })], NOW, [stuck]), /^up again/);
  assert.match(stripWords([], "up", NOW, [stuck, stuck]), /could not work 2 times, last stuck/);
});

test("the log goes into a spreadsheet as text", () => {
  const csv = csvOf([change("down", 60, { reason: '=HYPERLINK("x"), and "more"' })]);
  assert.match(csv, /"'=HYPERLINK\(""x""\), and ""more"""$/);
});

test("maintenance lasts from a minute to a week", () => {
  const form = { target: "all", minutes: "60", starts_at: "", reason: "disk" };
  assert.deepEqual(windowOf(form), { window: { target: "all", minutes: 60, reason: "disk" }, problems: new Map() });
  for (const minutes of ["", "0", "x", "10081"]) assert.equal(windowOf({ ...form, minutes }).problems.size, 1, minutes);
  assert.equal(windowOf({ ...form, starts_at: "2026-03-02T14:00" }).window.starts_at, new Date("2026-03-02T14:00").toISOString());
});
