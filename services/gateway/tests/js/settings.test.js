import assert from "node:assert/strict";
import { test } from "node:test";

import { refusalOf } from "../../src/spark_gateway/static/api.js";
import { changeRows, changesOf, countChanges, grouped, importedWords, isIdle, textOf, valueOf } from "../../src/spark_gateway/static/owner-settings.js";

const setting = (name, changes = {}) => ({
  name, label: name, help: "", group: "Swaps", kind: "text", choices: [], unit: null, default: null, value: null, source: "default", is_set: false, ...changes,
});
const drafts = (entries) => new Map(Object.entries(entries));

test("a value is read as its kind wants it, and blank takes it back", () => {
  const cases = [
    ["integer", " 12 ", { value: 12 }], ["integer", "1.5", { problem: "Write a whole number." }], ["integer", "", { value: null }],
    ["number", "1,5", { value: 1.5 }], ["number", "abc", { problem: "Write a number." }], ["number", "Infinity", { problem: "Write a number." }],
    ["list", "a\n\n b ", { value: ["a", "b"] }], ["text", " x ", { value: "x" }], ["url", "  ", { value: null }],
  ];
  for (const [kind, text, wanted] of cases) assert.deepEqual(valueOf(setting("A", { kind }), text), wanted, `${kind} ${text}`);
  assert.equal(textOf(["a", "b"]), "a\nb");
  assert.equal(textOf(false), "false");
  assert.equal(textOf(undefined), "");
});

test("only what was changed is sent, from the version it was made from", () => {
  const view = {
    version: 4, warnings: [], settings: [
      setting("PORT", { kind: "integer", value: 8888 }), setting("SAME", { value: "x" }), setting("MINE", { source: "owner", value: "y" }),
      setting("ON", { kind: "flag", value: false }), setting("KEY", { kind: "secret", is_set: true, source: "owner" }), setting("OTHER", { kind: "secret" }),
    ],
  };
  const made = drafts({
    PORT: { kind: "value", text: "9000" }, SAME: { kind: "value", text: "x" }, MINE: { kind: "reset" }, ON: { kind: "flag", on: true },
    KEY: { kind: "clear" }, OTHER: { kind: "secret", text: "s3cret" }, GONE: { kind: "value", text: "z" },
  });
  const { changes, problems } = changesOf(view, made);
  assert.deepEqual(changes, { version: 4, values: { PORT: 9000, MINE: null, ON: true }, secrets: { KEY: null, OTHER: "s3cret" } });
  assert.equal(problems.size, 0);
  assert.equal(countChanges(view, made), 5);
});

test("what cannot be read is said beside its field and not sent", () => {
  const view = { version: 1, warnings: [], settings: [setting("PORT", { kind: "integer", value: 1 }), setting("KEY", { kind: "secret" })] };
  const { changes, problems } = changesOf(view, drafts({ PORT: { kind: "value", text: "abc" }, KEY: { kind: "secret", text: " " } }));
  assert.deepEqual([...problems.keys()], ["PORT", "KEY"]);
  assert.deepEqual(changes.values, {});
  assert.deepEqual(changes.secrets, {});
});

test("typed back to what it was is no change", () => {
  assert.ok(isIdle(setting("A", { value: 5 }), { kind: "value", text: "5" }));
  assert.ok(isIdle(setting("A", { kind: "flag", value: null }), { kind: "flag", on: false }));
  assert.ok(isIdle(setting("A", { source: "environment" }), { kind: "reset" }));
  assert.ok(!isIdle(setting("A", { kind: "secret", is_set: true }), { kind: "clear" }));
});

test("groups keep their order", () => {
  const groups = grouped([setting("A", { group: "Page" }), setting("B"), setting("C", { group: "Page" })]);
  assert.deepEqual(groups.map((group) => [group.name, group.settings.map((each) => each.name)]), [["Page", ["A", "C"]], ["Swaps", ["B"]]]);
});

test("what is wrong with which field is found in every kind of answer", () => {
  const [first] = refusalOf(422, { detail: "x", code: "invalid_request", details: { problems: [{ name: "PORT", rule: "is not a number" }] } }).problems;
  assert.deepEqual([first.field, first.message, first.severity], ["PORT", "is not a number", "error"]);
  const [second] = refusalOf(422, { detail: "x", code: "invalid_request", details: { fields: [{ field: "body.ttl_seconds", reason: "Too small" }] } }).problems;
  assert.deepEqual([second.field, second.message], ["ttl_seconds", "Too small"]);
  assert.deepEqual(refusalOf(500, null).problems, []);
});

test("a part that is away is said in the words of the page, and whether something may have happened", () => {
  const words = (code, details) => refusalOf(503, { detail: "'coordinator' does not answer on the bus; is it running?", code, details }).message;
  assert.equal(words("service_unavailable", { service: "coordinator" }), "The part “coordinator” does not answer. Try again in a moment.");
  assert.match(words("deadline_exceeded", { service: "coordinator" }), /did not answer in time\. Look at the page/);
  assert.match(words("service_unavailable", {}), /on the bus/);
});

test("an import says what it would change, values only where there are some", () => {
  const change = (number) => ({ part: "webhooks", name: `t${number}`, how: "added", before: null, after: null });
  const port = { part: "settings", name: "PORT", how: "replaced", before: "1", after: "2" };
  assert.deepEqual(changeRows([port, { ...port, before: null, how: "added" }, change(1), { ...change(2), part: "later" }]), [
    { label: "Setting PORT", value: "1 → 2", note: "replaced" }, { label: "Setting PORT", value: "not set → 2", note: "added" },
    { label: "Message target t1", value: "added", note: "" }, { label: "later t2", value: "added", note: "" },
  ]);
  const rows = changeRows(Array.from({ length: 60 }, (_, number) => change(number)));
  assert.deepEqual([rows.length, rows.at(-1).label], [41, "and 20 more"]);
});

test("an import says what it did", () => {
  const done = { settings: 3, secrets: 1, schedules: 0, webhooks: 0, overrides: true, warnings: [] };
  assert.deepEqual(importedWords(done), ["3 settings", "1 secret", "your changes of recipes"]);
  assert.deepEqual(importedWords({ ...done, settings: 0, secrets: 0, overrides: false }), ["nothing"]);
});
