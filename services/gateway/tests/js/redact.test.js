import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { forgetQuestion } from "../../src/spark_gateway/static/late/redact/keeping.js";
import { wordsBack, byKind, countWords, coverageWords, foundWords, kindWords, namesOf, pieces } from "../../src/spark_gateway/static/late/redact/words.js";

const placeholder = (token, occurrences = 1) => ({ token, type: token.slice(2).split("_")[0], occurrences });
const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");

test("every type of the service has a name and a reason", () => {
  const source = readFileSync(new URL("../../../redaction/src/spark_redaction/scrub/kinds.py", import.meta.url), "utf8");
  const types = [...source.matchAll(/^ {4}([A-Z]+) = "\1"/gm)].map(([, type]) => type);
  assert.ok(types.length > 20);
  for (const type of types) assert.notEqual(kindWords(type).word, type);
  assert.equal(kindWords("NEWKIND").word, "NEWKIND");
});

test("what is hidden is told by type, the most frequent first", () => {
  const kinds = byKind([placeholder("[[PHONE_1]]"), placeholder("[[PERSON_1]]", 3), placeholder("[[PHONE_2]]")], ["415-555-0132", "Alice", "[[PHONE_2]]"]);
  assert.deepEqual(kinds.map(({ type, times }) => [type, times]), [["PERSON", 3], ["PHONE", 2]]);
  assert.deepEqual(kinds[0].rows, [{ token: "[[PERSON_1]]", value: "Alice", times: "3 times" }]);
  assert.equal(kinds[1].rows[0].times, "");
  assert.equal(kinds[1].rows[1].value, "forgotten, it stays closed");
  assert.ok(kinds.every(({ why }) => why.endsWith(".")));
});

test("only placeholders of this text are marked, and no piece is lost", () => {
  const text = "[[A_1]]: see [[B_2]], [[not one]] and [[A_1]]\n[[";
  const found = pieces(text, new Set(["[[A_1]]"]));
  assert.deepEqual(found.filter(({ token }) => token).map((each) => each.text), ["[[A_1]]", "[[A_1]]"]);
  assert.equal(found.map((each) => each.text).join(""), text);
  assert.deepEqual(pieces("", new Set()), []);
});

test("what was not looked for is said", () => {
  assert.match(coverageWords({ entities: 0, ner: "unavailable" }), /no list of names was given.*pass through/);
  assert.match(coverageWords({ entities: 2, ner: "off" }), /2 names of your list.*pass through/);
  assert.match(coverageWords({ entities: 1, ner: "full" }), /1 name of your list, and names that a model recognises, which may miss some\.$/);
  assert.match(coverageWords({ entities: 1, ner: "partial" }), /in a part of the text only/);
  assert.equal(foundWords([]), "Nothing was found that would have to be hidden.");
  assert.equal(foundWords([placeholder("[[PHONE_1]]"), placeholder("[[PHONE_2]]")]), "2 values of 1 type hidden.");
});

test("what stays closed is named, and many are counted", () => {
  const back = { text: "", restored: { "[[A_1]]": 2, "[[B_1]]": 1 }, normalised: [], unresolved: [], blocked: [] };
  assert.equal(wordsBack(back), "3 places filled in.");
  assert.equal(wordsBack({ ...back, restored: {}, unresolved: ["[[A_9]]", "[[A_9]]"], blocked: ["[[A_1]]"] }), "No value was put back. Not of this session, left as written: [[A_9]]. Left closed inside the address of a page: [[A_1]].");
  assert.match(wordsBack({ ...back, unresolved: Array.from({ length: 9 }, (_, n) => `[[A_${n}]]`) }), /\[\[A_4\]\] and 4 more\./);
});

test("a scope is counts and no contents", () => {
  assert.equal(plain(countWords({ PHONE: 1, EMAIL: 1200 })), "E-mail address 1 200 · Phone number 1");
  assert.equal(countWords({}), "Nothing");
  const question = forgetQuestion({ tenant: "default", session_id: "s_1", counts: { PHONE: 1 } });
  assert.equal(question.tone, "danger-fill");
  assert.equal(question.effects[0].what, "Its value is destroyed.");
});

test("names are lines, once each", () => {
  assert.deepEqual(namesOf(" Alice Smith \n\nBob\nBob\r\n"), ["Alice Smith", "Bob"]);
});
