import assert from "node:assert/strict";
import { test } from "node:test";

import { coming } from "../../src/spark_gateway/static/format.js";
import { onKnown } from "../../src/spark_gateway/static/reduce-owner.js";
import { formOf, scheduleOf, wallTime } from "../../src/spark_gateway/static/late/schedule/schedule-form.js";
import { clashes, homeLook, lastWords, nextRuns, nextWords, repeats, runBy, weekOf } from "../../src/spark_gateway/static/late/schedule/scheduling.js";
import { plain } from "./scenes.js";

const NOON = new Date(2026, 2, 2, 12).getTime();
const at = (days, hours, minutes = 0) => new Date(2026, 2, 2 + days, hours, minutes).toISOString();
const schedule = (changes = {}) => ({
  id: "night", name: "Night", kind: "swap", cron: "30 22 * * *", every_seconds: null, at: null, timezone: "Europe/Berlin", starts_at: null, ends_at: null,
  duration_minutes: 2, model: "alpha", service: null, collection: null, keep: null, owner: "Alice", note: "", enabled: true, misfire: { policy: "skip", within_minutes: 60 },
  missed_after_minutes: null, ...changes,
});
const view = (changes = {}, more = {}) => ({ schedule: schedule(changes), next_at: at(0, 22, 30), last: null, runs: [], conflicts: [], created_at: at(-9, 0), revision: 1, ...more });
const entry = (id, moment, changes = {}) => ({ schedule_id: id, name: id, kind: "swap", at: moment, until: moment, model: null, owner: "Alice", state: "planned", conflicts: [], ...changes });
const calendar = (entries, changes = {}) => ({ start: at(0, 0), end: at(7, 0), entries, lease_until: null, lease_holder: null, cut: false, ...changes });

test("a moment to come is near or has a date", () => {
  for (const [moment, words] of [[at(0, 14), "today 14:00"], [at(1, 3), "tomorrow 03:00"], [at(3, 3), "Thu 03:00"], [at(30, 3), "1 Apr 03:00"], [at(365, 3), "2 Mar 2027 03:00"]]) {
    assert.equal(coming(moment, NOON), words);
  }
});

test("when it repeats, comes next and went last", () => {
  assert.equal(repeats(schedule()), "30 22 * * * (Europe/Berlin)");
  assert.equal(plain(repeats(schedule({ cron: null, every_seconds: 1800 }))), "every 30 min");
  assert.equal(repeats(schedule({ cron: null, at: at(1, 1) })), "once");
  assert.equal(nextWords(view(), NOON), "Today 22:30");
  assert.equal(nextWords(view({ enabled: false }), NOON), "Switched off");
  assert.equal(nextWords(view({}, { next_at: null }), NOON), "No more");
  assert.equal(lastWords(view(), NOON), null);
  const run = { id: "r", nominal: at(-1, 22, 30), state: "failed", started_at: at(-1, 22, 30), finished_at: at(-1, 22, 32), message: "Rolled back." };
  const last = lastWords(view({}, { last: run }), NOON);
  assert.equal(plain(last.words), "yesterday 22:30, took 2 min");
  assert.equal(last.pill.word, "Failed");
  assert.equal(runBy("outside").word, "Other program");
  assert.equal(runBy("warm").word, "spark-control");
});

test("a clash of two is told once", () => {
  const clash = (other) => ({ at: at(0, 22), until: at(0, 23), other: "schedule", other_id: other, sentence: "Both want it." });
  const found = clashes([view({ id: "a" }, { conflicts: [clash("b")] }), view({ id: "b" }, { conflicts: [clash("a"), { ...clash(null), other: "lease", at: at(0, 13) }] })], NOON);
  assert.deepEqual(found.map((each) => each.title), ["Clash today 13:00: Night", "Clash today 22:00: Night"]);
});

test("two that clash every night are told once, with how often", () => {
  const nightly = (other, days) => days.map((day) => ({ at: at(day, 22), until: at(day, 23), other: "schedule", other_id: other, sentence: "b wants another model" }));
  const found = clashes([view({ id: "b", name: null }, { conflicts: nightly("a", [1, 2]) }), view({ id: "a" }, { conflicts: nightly("b", [0, 1, 2]) })], NOON);
  assert.deepEqual(found.map(({ title, text }) => [title, text]), [["Clash today 22:00: Night", "B wants another model. 2 more times in the coming week."]]);
  const [once] = clashes([view({}, { conflicts: nightly("b", [0]) })], NOON);
  assert.equal(once.text, "B wants another model.");
});

test("a week has seven days, and what comes often is one line a day", () => {
  const often = Array.from({ length: 24 }, (_, hour) => entry("sweep", at(1, hour), { state: hour === 3 ? "missed" : "planned" }));
  const week = weekOf(calendar([...often, entry("night", at(1, 22, 30), { until: at(1, 22, 32) }), entry("past", at(9, 1))], { lease_holder: "Bob", lease_until: at(0, 13) }), NOON);
  assert.equal(week.length, 7);
  assert.match(week[0].name, /^Today, Mon 2 Mar$/);
  assert.deepEqual(week[0].lines.map((line) => [line.name, line.time]), [["Bob", "until 13:00"]]);
  assert.deepEqual(week[1].lines.map((line) => [line.name, line.time, line.more]), [["sweep", "00:00 to 23:00", "24 times"], ["night", "22:30 to 22:32", ""]]);
  assert.equal(week[1].lines[0].pill.word, "1 missed");
  assert.equal(week.flatMap((day) => day.lines).length, 3);
});

test("days that were cut off are not called empty", () => {
  const week = weekOf(calendar([entry("often", at(1, 3))], { cut: true }), NOON);
  assert.deepEqual(week.map((day) => day.nothing.slice(0, 7)), ["Nothing", "Nothing", ...Array(5).fill("Too muc")]);
});

test("the home model is told when there is one, and when a person has to do something", () => {
  assert.equal(homeLook(null, NOON), null);
  assert.equal(homeLook({ state: "off", sentence: "No home model is set." }, NOON), null);
  const waits = homeLook({ model: "alpha", state: "waiting", sentence: "It comes back after a lease has ended." }, NOON);
  assert.deepEqual([waits.tone, waits.title], ["idle", "Home model: alpha"]);
  const blocked = homeLook({ model: "alfa", state: "blocked", sentence: "alfa is not on the menu; name a model that is." }, NOON);
  assert.deepEqual([blocked.tone, blocked.text], ["warn", "alfa is not on the menu; name a model that is."]);
  assert.match(homeLook({ model: "a", state: "backing_off", sentence: "It failed.", next_try_at: at(0, 14) }, NOON).text, /^It failed\. Next try today 14:00\.$/);
});

test("the next runs are those the coordinator says", () => {
  const entries = [entry("night", at(-1, 22)), entry("night", at(0, 22)), entry("other", at(0, 23)), ...[1, 2, 3].map((day) => entry("night", at(day, 22)))];
  assert.deepEqual(nextRuns(calendar(entries), "night", NOON), ["today 22:00", "tomorrow 22:00", "Wed 22:00"]);
  assert.deepEqual(nextRuns(null, "night", NOON), []);
});

test("a schedule that is opened and saved untouched stays what it was", () => {
  for (const changes of [{}, { cron: null, every_seconds: 90 * 60, kind: "sweep", model: null }, { kind: "outside", missed_after_minutes: 15 },
    { misfire: { policy: "run_once", within_minutes: 30 } }, { kind: "snapshot", model: null, collection: "docs", keep: 7 }, { kind: "restart", model: null, service: "vllm", starts_at: at(1, 1), ends_at: at(9, 1) }]) {
    const before = schedule(changes);
    const { schedule: after, problems } = scheduleOf(formOf(before, "UTC", ""), before);
    assert.equal(problems.size, 0);
    assert.deepEqual(after, before);
  }
});

test("a moment that is not touched stays what it is, one that is touched is new", () => {
  // The second 02:30 of the night on which the clocks go back, and 17 seconds.
  const once = schedule({ cron: null, at: "2026-10-25T01:30:17Z", timezone: "Europe/Berlin" });
  const form = { ...formOf(once, "UTC", ""), name: "Renamed" };
  assert.equal(scheduleOf(form, once).schedule.at, "2026-10-25T01:30:17Z");
  assert.equal(scheduleOf({ ...form, at: "2026-10-25T02:31" }, once).schedule.at, "2026-10-25T02:31");
  assert.equal(scheduleOf({ ...form, timezone: "Asia/Kolkata" }, once).schedule.at, "2026-10-25T02:30");
});

test("one time is a time on the clocks of its zone", () => {
  assert.equal(wallTime("2026-03-02T21:30:00Z", "Europe/Berlin"), "2026-03-02T22:30");
  assert.equal(wallTime("2026-03-02T21:30:00Z", "Asia/Kolkata"), "2026-03-03T03:00");
  assert.equal(wallTime("2026-03-02T00:05:00Z", "Nowhere/Else"), "2026-03-02T00:05");
  const form = { ...formOf(null, "Europe/Berlin", "Alice"), id: "x", kind: "sweep", when: "at", at: "2026-03-02T22:30" };
  const { schedule: said } = scheduleOf(form, null);
  assert.deepEqual([said.at, said.cron, said.timezone, said.owner], ["2026-03-02T22:30", null, "Europe/Berlin", "Alice"]);
});

test("what is wrong stands beside its field", () => {
  const form = { ...formOf(null, "UTC", ""), id: "-x", cron: " ", duration: "long", make_up: true, within: "" };
  assert.deepEqual([...scheduleOf(form, null).problems.keys()].sort(), ["cron", "duration_minutes", "id", "misfire", "model"]);
  const every = { ...formOf(null, "UTC", ""), id: "x", kind: "sweep", when: "every", every: "0" };
  assert.deepEqual([...scheduleOf(every, null).problems.keys()], ["every_seconds"]);
});

test("an answer that fails keeps what was known", () => {
  const first = onKnown({ known: {} }, { name: "schedules", value: { schedules: [1] } }, 5);
  const then = onKnown(first, { name: "schedules", problem: "Nobody answers." }, 9);
  assert.deepEqual(then.known.schedules, { value: { schedules: [1] }, problem: "Nobody answers.", at: 5 });
  assert.deepEqual(onKnown({ known: {} }, { name: "targets", problem: "x" }, 9).known.targets, { value: null, problem: "x", at: 0 });
});
