import assert from "node:assert/strict";
import { test } from "node:test";

import { etaSentence, isChatAway, isOver, phaseWord, secondsLeft, secondsSpent, stepsOf } from "../../src/spark_gateway/static/phases.js";
import { cancelQuestion, switchQuestion } from "../../src/spark_gateway/static/questions.js";
import { initialState, reduce } from "../../src/spark_gateway/static/store.js";
import { ago, menu, model, NOW, snapshot, swap } from "./scenes.js";

const PHASES = ["queued", "preflight", "draining", "stopping", "launching", "loading", "warming", "ready", "rolling_back", "rolled_back", "failed", "cancelled"];
const marks = (...pairs) => pairs.map(([phase, seconds]) => ({ phase, at: ago(30), seconds }));
const plain = (text) => text.replaceAll("\u00a0", " ");

test("every phase has words, and four are the end", () => {
  for (const phase of PHASES) assert.notEqual(phaseWord(phase), phase);
  assert.deepEqual(PHASES.filter(isOver), ["ready", "rolled_back", "failed", "cancelled"]);
  assert.deepEqual(PHASES.filter(isChatAway), ["draining", "stopping", "launching", "loading", "warming", "rolling_back"]);
});

test("the steps tell done, now and to do with their times", () => {
  const loading = swap("loading", { percent: 60.7, phases: marks(["preflight", 3], ["draining", 14], ["stopping", 7], ["launching", 23], ["loading", null]) });
  const steps = stepsOf(loading, NOW, 80);
  assert.deepEqual(steps.map((step) => step.state), ["done", "done", "done", "done", "now", "todo", "todo"]);
  assert.deepEqual(steps.slice(0, 5).map((step) => plain(step.time)), ["3 s", "14 s", "7 s", "23 s", "60 %"]);
  assert.match(steps[6].time, /^about \d\d:\d\d$/);
  assert.equal(stepsOf(loading, NOW, null)[6].time, "");
});

test("a step that was not needed is done without a time", () => {
  const steps = stepsOf(swap("warming", { phases: marks(["preflight", 3], ["warming", null]) }), NOW, null);
  assert.deepEqual(steps.map((step) => step.state), ["done", "done", "done", "done", "done", "now", "todo"]);
  assert.equal(steps[2].time, "");
});

test("the step where it broke is the one that failed", () => {
  const broken = swap("rolling_back", { phases: marks(["preflight", 3], ["stopping", 7], ["launching", 23], ["rolling_back", null]) });
  assert.deepEqual(stepsOf(broken, NOW, null).map((step) => step.state), ["done", "done", "done", "fail", "todo", "todo", "todo"]);
});

test("the time left counts down between two words of the server", () => {
  const each = swap("loading", { eta_seconds: 80 });
  assert.equal(secondsLeft(each, NOW, NOW), 80);
  assert.equal(secondsLeft(each, NOW, NOW + 30_000), 50);
  assert.equal(secondsLeft(each, NOW, NOW - 5000), 80);
  assert.equal(secondsLeft(swap("loading"), NOW, NOW), null);
  assert.equal(plain(etaSentence(50, each)), "About 50 s left");
  assert.equal(etaSentence(-3, each), "Taking a little longer than usual");
  assert.equal(etaSentence(null, each), "No time known yet");
});

test("the time in the queue is not part of a swap", () => {
  const each = swap("loading", { created_at: ago(600), phases: [{ phase: "queued", at: ago(600) }, { phase: "preflight", at: ago(40) }] });
  assert.equal(secondsSpent(each, NOW), 40);
});

const state = (changes) => reduce(initialState(), { type: "snapshot", data: snapshot(changes), at: NOW });

test("a switch says what stops, for how long if that is known, and what keeps working", () => {
  const known = switchQuestion(model("beta", { load_seconds: 200, size_bytes: 63.4e9 }), state());
  const said = plain(JSON.stringify(known.effects));
  assert.match(said, /ALPHA stops/);
  assert.match(said, /No chat for about 3 min 20 s/);
  assert.match(said, /63\.4 GB/);
  assert.match(known.safe, /Keep ALPHA/);
  assert.deepEqual(known.choices.map((choice) => [choice.name, choice.checked]), [["rollback", true], ["force", false]]);
  assert.match(JSON.stringify(switchQuestion(model("beta"), state()).effects), /no time is known/);
});

test("with nothing loaded a switch stops nothing and has nothing to bring back", () => {
  const question = switchQuestion(model("beta"), state({ menu: menu({ runtime: { state: "idle" } }) }));
  assert.equal(question.title, "Load BETA?");
  assert.deepEqual(question.choices, []);
  assert.ok(question.effects.every((effect) => effect.kind !== "stop"));
});

test("while a swap runs the question is about the queue", () => {
  const question = switchQuestion(model("gamma"), state({ swaps: { current: swap("loading"), queue: [], recent: [] } }));
  assert.match(question.title, /Queue a swap to GAMMA/);
  assert.match(question.effects[0].what, /BETA goes on/);
});

test("to cancel early loses nothing; to cancel late says what is gone", () => {
  assert.match(cancelQuestion(swap("preflight"), state(), NOW).effects[0].what, /ALPHA keeps serving/);
  assert.match(cancelQuestion(swap("loading"), state(), NOW).effects[0].what, /ALPHA is already stopped/);
  assert.match(cancelQuestion(swap("queued"), state(), NOW).title, /out of the queue/);
});
