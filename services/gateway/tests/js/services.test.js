import assert from "node:assert/strict";
import { test } from "node:test";

import { careSteps, filePill, filesPill, speechWords } from "../../src/spark_gateway/static/late/services/care.js";
import { suggestedAfter } from "../../src/spark_gateway/static/late/services/modes.js";
import { orderOf } from "../../src/spark_gateway/static/late/services/nim.js";
import { serviceOf } from "../../src/spark_gateway/static/late/services/own.js";
import { actQuestion, bridgeQuestion, crossed, remedyQuestion, speechQuestion } from "../../src/spark_gateway/static/late/services/questions.js";
import { currency, deepLine, presses, servicePill, targetLines, techWords, tileLines } from "../../src/spark_gateway/static/late/services/tiles.js";
import { caredFor, onCare } from "../../src/spark_gateway/static/reduce-care.js";
import { initialState, reduce } from "../../src/spark_gateway/static/store.js";
import { ago, NOW, plain, snapshot, swap } from "./scenes.js";
import { container, deep, remedy, service, target } from "./watched.js";

const said = (changes) => reduce(initialState(), { type: "snapshot", data: snapshot(changes), at: NOW });
const held = (changes) => said({ lease: { state: "held", holder: "crm-sync", reason: "", remaining_seconds: 600, epoch: 7, queue: [], yields: [] }, ...changes });
const texts = (...args) => tileLines(...args).map((line) => plain(line.text)).join(" ");

test("green takes a fresh good look and no failed work", () => {
  const failed = (state) => deep("parakeet", { last: { state, sentence: "", latency_ms: null, at: ago(5) } });
  const stopped = { state: "down", container: container({ state: "exited" }), last_action: { action: "stop", ok: true, at: ago(60), requested_by: "Bob", reason: "", message: "" } };
  const scenes = [
    [service("parakeet"), deep("parakeet"), false, "Healthy"],
    [service("parakeet"), deep("parakeet"), true, "Not known"],
    [service("parakeet"), failed("wedged"), false, "Stuck"],
    [service("parakeet"), failed("failing"), false, "Failing"],
    [service("parakeet"), failed("busy"), false, "Healthy"],
    [service("parakeet", { state: "unknown", stale: true }), deep("parakeet"), false, "Not seen lately"],
    [service("parakeet", { state: "down", stale: true }), deep("parakeet"), false, "Down"],
    [service("parakeet", { acting: "restart" }), deep("parakeet"), false, "Restarting"],
    [service("parakeet"), deep("parakeet", { remedy: remedy({ state: "open", restarts: 3 }) }), false, "Needs you"],
    [service("parakeet"), deep("parakeet", { remedy: remedy({ state: "waiting" }) }), false, "Stuck"],
    [service("parakeet"), { ...failed("wedged"), remedy: remedy({ last_restart_at: ago(1), restarts: 1 }) }, false, "Just restarted"],
    [service("parakeet", { container: container({ crash_loop: true, recent_restarts: 4 }) }), deep("parakeet"), false, "Crash loop"],
    [service("parakeet", { container: container({ crash_loop: true, recent_restarts: 3 }) }), deep("parakeet", { remedy: remedy({ restarts: 3 }) }), false, "Healthy"],
    [service("parakeet", stopped), null, false, "Stopped"],
    [service("vllm", { state: "idle" }), null, false, "Idle"],
    [service("x", { state: "something new" }), null, false, "Not known"],
  ];
  for (const [view, work, old, word] of scenes) assert.equal(servicePill(view, work, old).word, word);
  assert.equal(servicePill(service("parakeet"), deep("parakeet"), false, "Spark 1").word, "Spark away");
});

test("an open circuit says so, and what to press", () => {
  const open = deep("parakeet", { remedy: remedy({ state: "open", restarts: 3, sentence: "it is stuck again", press: "Press Restart now" }) });
  const said = texts(service("parakeet"), open, NOW);
  assert.match(said, /Restarted 3 times in 30 min, limit 3\. No more restarts by itself: waiting for you\./);
  assert.match(said, /Press Restart now\./);
  const [first, second] = presses(service("parakeet"), open);
  assert.deepEqual([first.wish, first.primary, second.wish], ["apply-remedy", true, "reset-remedy"]);
});

test("a suggestion is pressed by a person, and nothing else is offered instead", () => {
  const suggested = deep("parakeet", { remedy: remedy({ mode: "suggest", state: "suggested", sentence: "a restart would help", press: "Press Restart now" }) });
  assert.deepEqual(presses(service("parakeet"), suggested).map((press) => press.wish), ["apply-remedy", "act-on-service", "open-service-log"]);
  assert.deepEqual(presses(service("parakeet"), deep("parakeet")).map((press) => press.label), ["Restart…", "Stop…", "Logs"]);
  assert.deepEqual(presses(service("vllm", { actions: [] }), deep("vllm", { remedy: remedy({ mode: "never", press: "Load the model again" }) })).map((press) => press.label), ["Logs"]);
  const down = service("kokoro", { state: "down", container: container({ state: "exited" }) });
  assert.deepEqual(presses(down, null).map((press) => [press.label, press.primary ?? false]), [["Start", true], ["Logs", false]]);
});

test("a tile says why, since when, and what was restarted how often", () => {
  assert.match(texts(service("kokoro", { state: "down", reason: "nothing listens" }), null, NOW), /^Nothing listens\. Since .*11:50\.|^Nothing listens\. Since today/);
  assert.match(texts(service("kokoro"), deep("kokoro"), NOW), /Runs for 2 h, no restarts\./);
  assert.match(texts(service("kokoro"), deep("kokoro", { remedy: remedy({ restarts: 1, last_restart_at: ago(60) }) }), NOW), /Restarted itself once in 30 min, limit 3; last 1 min ago\./);
  assert.match(texts(service("kokoro", { container: container({ crash_loop: true, recent_restarts: 5 }) }), deep("kokoro"), NOW), /It ends soon after every start: 5 times in 10 min\./);
  assert.match(texts(service("kokoro", { state: "unknown", stale: true, age_seconds: 300 }), null, NOW), /^Seen well 5 min ago; whether it still is, nobody can tell\./);
  assert.match(texts(service("kokoro", { last_action: { action: "restart", ok: false, at: ago(60), requested_by: "Bob", reason: "", message: "docker refused" } }), null, NOW), /Restart asked for by Bob .* did not work: docker refused\./);
  assert.equal(texts(service("kokoro"), deep("kokoro"), NOW, "Spark 1"), "Spark 1 does not answer, and it runs there. It is looked for again as soon as that is back.");
  assert.equal(techWords(service("kokoro"), said()), "voice:v1 · on Spark 1");
});

test("maintenance and coming and going stand on the tile", () => {
  assert.deepEqual(targetLines(undefined), []);
  assert.deepEqual(targetLines(target("kokoro")), []);
  assert.deepEqual(targetLines(target("kokoro", { maintenance: true, flapping: true })).map((line) => line.key), ["maintenance", "flapping"]);
});

test("the deep check in words", () => {
  const line = (changes) => plain(deepLine(deep("parakeet", changes), NOW).text);
  assert.equal(line({}), "Deep check passed 2 min ago, 412 ms.");
  assert.equal(line({ last: { state: "failing", sentence: "heard nothing", latency_ms: 9, at: ago(40) } }), "Deep check failed 40 s ago: heard nothing.");
  assert.equal(line({ running: true }), "Being checked with real work.");
  assert.equal(line({ last: null }), "Not checked with real work yet.");
  assert.equal(line({ last: { state: "new word", sentence: "x", latency_ms: null, at: ago(40) } }), "New word 40 s ago: x.");
});

test("what was heard of the services gets old, and says since when", () => {
  const heard = (at, problem) => {
    const state = reduce(said(), { type: "known", data: { name: "services", value: { services: [] } }, at });
    return problem ? reduce(state, { type: "known", data: { name: "services", problem }, at: NOW }) : state;
  };
  assert.deepEqual(currency(heard(NOW - 5000), "services", NOW), { old: false, text: "" });
  assert.deepEqual({ ...currency(heard(NOW - 60_000, "Nobody answers"), "services", NOW), text: plain(currency(heard(NOW - 60_000, "Nobody answers"), "services", NOW).text) }, { old: true, text: "What is shown is from 1 min ago. Nobody answers." });
  assert.equal(currency({ ...heard(NOW), link: "lost" }, "services", NOW).old, true);
  assert.equal(currency(said(), "services", NOW).old, true);
});

test("a press over somebody's reservation says so and takes a decision of its own", () => {
  const speech = service("parakeet");
  const voice = service("kokoro");
  assert.deepEqual([crossed(held(), speech, false, NOW), crossed(held(), voice, false, NOW), crossed(held(), voice, true, NOW), crossed(said(), speech, true, NOW)], ["crm-sync", null, "crm-sync", null]);
  const over = actQuestion(held(), speech, "restart", NOW);
  assert.equal(over.title, "Restart Parakeet though crm-sync has reserved the Sparks?");
  assert.deepEqual([over.tone, over.go], ["danger-fill", "Restart anyway"]);
  const beside = actQuestion(held(), voice, "restart", NOW);
  assert.deepEqual([beside.title, beside.tone], ["Restart Kokoro?", "primary"]);
  assert.match(beside.effects.map((effect) => effect.what).join(" "), /crm-sync has reserved the Sparks/);
  assert.match(remedyQuestion(held(), voice, NOW).title, /though crm-sync/);
  assert.match(remedyQuestion(said({ swaps: { current: swap("loading"), queue: [], recent: [] } }), voice, NOW).blocked, /A swap to BETA is running/);
  assert.match(speechQuestion("reapply", held(), NOW).blocked, /crm-sync has reserved/);
  assert.equal(speechQuestion("undo", said(), NOW).blocked, undefined);
});

test("a restart says for how long, as far as that was measured", () => {
  const how = (/** @type {any} */ question) => question.effects.map((/** @type {any} */ each) => `${each.what} ${each.how}`).join(" ");
  const job = { steps: [{ step: "copying", at: ago(90), seconds: 1 }, { step: "restarting", at: ago(60), seconds: 5 }, { step: "waiting", at: ago(55), seconds: 20 }] };
  const measured = reduce(said(), { type: "known", data: { name: "speech", value: { job } }, at: NOW });
  for (const question of [actQuestion(measured, service("parakeet"), "restart", NOW), speechQuestion("reapply", measured, NOW)]) assert.match(plain(how(question)), /The last restart took 25 s\./);
  for (const question of [actQuestion(said(), service("parakeet"), "restart", NOW), actQuestion(measured, service("kokoro"), "restart", NOW)]) assert.match(how(question), /How long that takes is not known here\./);
  assert.doesNotMatch(how(actQuestion(measured, service("parakeet"), "stop", NOW)), /takes|took/);
  assert.match(how(bridgeQuestion(said(), service("bridge", { kind: "bot" }), NOW)), /No messages are forwarded while it is started anew\. They wait/);
});

test("what keeps working is only what works", () => {
  const state = reduce(said(), { type: "known", data: { name: "services", value: { services: [service("kokoro"), service("parakeet"), service("qdrant", { state: "down" }), service("embeddings")] } }, at: NOW });
  const stuck = reduce(state, { type: "known", data: { name: "deep", value: { services: [deep("parakeet", { last: { state: "wedged", at: ago(1) } })] } }, at: NOW });
  const kept = actQuestion(stuck, service("kokoro"), "stop", NOW).effects.filter((effect) => effect.kind === "keep").map((effect) => effect.what);
  assert.deepEqual(kept, ["Embeddings keeps working."]);
});

test("one list says what is only suggested", () => {
  assert.deepEqual(suggestedAfter([], "parakeet", false, []), ["parakeet"]);
  assert.deepEqual(suggestedAfter(["parakeet"], "parakeet", false, []), ["parakeet"]);
  assert.deepEqual(suggestedAfter("parakeet kokoro", "parakeet", true, []), ["kokoro"]);
  assert.deepEqual(suggestedAfter(["all"], "kokoro", true, ["parakeet", "kokoro"]), ["parakeet"]);
  assert.deepEqual(suggestedAfter(["all"], "kokoro", false, ["parakeet", "kokoro"]), ["all"]);
});

const event = (n, step, changes = {}) => ({ job_id: "j1", n, step, previous_step: n === 1 ? "accepted" : null, percent: null, message: step, lines: [], at: ago(0), ...changes });
const job = (changes = {}) => ({ id: "j1", requested_by: "Alice", state: "running", step: "accepted", steps: [], percent: null, message: "begun", n: 0, cause: null, created_at: ago(9), finished_at: null, ...changes });

test("events of a job count once, in order, and an end stays an end", () => {
  let care = onCare({}, event(1, "copying"));
  care = onCare(care, event(3, "keeping", { lines: ["kept"] }));
  assert.equal(onCare(care, event(2, "checking")), care);
  const told = caredFor(job(), care);
  assert.deepEqual([told.step, told.begun, told.log.entries.length], ["keeping", ["copying", "keeping"], 2]);
  care = onCare(care, { job_id: "j1", outcome: "failed", message: "no", cause: { code: "x", sentence: "s", action: "a" } });
  assert.deepEqual([caredFor(job(), care).state, caredFor(job(), care).cause.sentence], ["failed", "s"]);
  assert.equal(onCare(care, event(9, "waiting")), care);
  assert.equal(caredFor(job({ state: "complete", message: "done" }), care).message, "done");
  assert.equal(caredFor(job({ n: 5, step: "waiting" }), onCare({}, event(4, "restarting"))).step, "waiting");
  assert.equal(caredFor(null, care), null);
  const many = Array.from({ length: 20 }, (_, index) => index).reduce((all, index) => onCare(all, { ...event(1, "copying"), job_id: `j${index}` }), {});
  assert.ok(Object.keys(many).length <= 6);
});

test("steps of a job: done, now, to come, and where it broke", () => {
  const steps = (kind, changes) => careSteps(kind, caredFor(job(changes), {})).map((step) => `${step.label}: ${step.state}`);
  const mark = (step) => ({ step, at: ago(9), seconds: 2 });
  assert.deepEqual(steps("nim", { step: "preparing", steps: [mark("pulling"), mark("preparing")] }), ["Check: done", "Download: done", "Prepare volume: now", "Start: todo", "Wait for health: todo"]);
  assert.deepEqual(steps("speech", { action: "undo", state: "complete", step: "done", steps: [mark("replacing"), mark("restarting"), mark("waiting"), mark("done")] }), ["Put back: done", "Restart: done", "Wait for health: done"]);
  assert.deepEqual(steps("speech", { action: "reapply", state: "failed", step: "checking", steps: [mark("copying"), mark("checking")] }), ["Copy ours in: done", "Check syntax: fail"]);
  assert.deepEqual(steps("bridge", {}).map((each) => each.split(": ")[1]), ["todo", "todo", "todo", "todo"]);
});

test("files of speech are ours, not ours, or nobody knows", () => {
  const files = (...states) => filesPill(states.map((state) => ({ state })), false).word;
  assert.deepEqual([files("in_sync", "in_sync"), files("in_sync", "drift"), files("missing", "missing"), files("in_sync", "unknown"), files()], ["Both are ours", "1 of 2 differs", "2 of 2 missing", "Not known", "Not known"]);
  assert.equal(filePill("in_sync", true).word, "Not known");
  assert.match(speechWords({ health: { state: "ready", diarizer: "ready" }, container_state: "running", restart_needed: true, container: "c" }), /^Speech is ready and tells speakers apart\. Our files are in place/);
  assert.equal(speechWords({ health: { state: "away" }, container_state: null, restart_needed: false, container: "c" }), "There is no container c.");
});

test("an installation needs an entry or an image, a port that is one, and a key", () => {
  const form = { entry: "llama", ngc: "", name: "", image: "", port: "", host: "spark2", env: "" };
  assert.deepEqual([...orderOf(form, false).problems.keys()], ["ngc_api_key"]);
  assert.deepEqual(orderOf({ ...form, ngc: "k", port: "8031" }, false).order, { host: "spark2", entry: "llama", port: 8031, ngc_api_key: "k" });
  assert.deepEqual(orderOf(form, true).order, { host: "spark2", entry: "llama" });
  const own = { ...form, entry: "", name: "My", image: "docker.io/x", env: "a=b", port: "70000" };
  assert.deepEqual([...orderOf(own, true).problems.keys()], ["name", "image", "env", "port"]);
  const good = orderOf({ ...own, name: "mine", image: "nvcr.io/nim/a/b", env: "A=b=c\nB=", port: "" }, true);
  assert.deepEqual(good.order, { host: "spark2", name: "mine", image: "nvcr.io/nim/a/b", env: { A: "b=c", B: "" } });
});

test("a service of one's own needs a port, and a bot a container", () => {
  const form = { name: "comfyui", label: "", kind: "http", host: "spark2", port: "8188", path: "", container: "" };
  assert.deepEqual(serviceOf(form), { service: { name: "comfyui", kind: "http", host: "spark2", port: 8188 }, problems: new Map() });
  assert.deepEqual([...serviceOf({ ...form, name: "Comfy UI", port: "x" }).problems.keys()], ["name", "port"]);
  assert.deepEqual([...serviceOf({ ...form, kind: "bot", port: "" }).problems.keys()], ["container"]);
  assert.deepEqual(serviceOf({ ...form, kind: "bot", container: "c" }).service, { name: "comfyui", kind: "bot", host: "spark2", container: "c" });
});
