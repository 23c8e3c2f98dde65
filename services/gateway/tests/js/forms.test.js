import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf, problemText, renamed, testWords } from "../../src/spark_gateway/static/forms.js";
import { changes, contextWords, isWell, joinFlag, memoryWords, moreMemoryWords, sharePercent, sorted, splitFlag, tokens, turned } from "../../src/spark_gateway/static/knobs.js";
import { localRecipe, recipeOf, sourceOf, valuesOf } from "../../src/spark_gateway/static/setup.js";
import { plain } from "./scenes.js";

const GIB = 2 ** 30;
const from = (value, certainty = "read", source = "config.json: x", note = null) => ({ value, certainty, source, note });
const suggestion = (more = {}) => ({
  key: "nano", repo: "org/Nano", name: "Nano", hosts: ["spark1"], size_bytes: 32e9, warnings: [], traits: [],
  served_name: from("Nano"), mode: from("solo"), tensor_parallel: from(1), image: from(null), context_length: from(131072),
  quantization: from("fp8"), tool_parser: from("hermes", "guessed"), reasoning_parser: from(null), capabilities: from(["chat", "tools"]),
  args: ["--max-model-len=131072", "--gpu-memory-utilization=0.6", "--enable-auto-tool-choice", "--tool-call-parser=hermes"].map((each) => from(each)),
  env: [from("A=1=2")], ...more,
});

test("a flag is one word or two", () => {
  assert.deepEqual(splitFlag("--a=b=c"), { flag: "--a", value: "b=c" });
  assert.deepEqual(splitFlag("--a"), { flag: "--a", value: "" });
  assert.equal(joinFlag({ flag: " --a ", value: " {\"x\": 1} " }), "--a={\"x\": 1}");
  assert.equal(joinFlag({ flag: "--a", value: "" }), "--a");
  assert.equal(joinFlag({ flag: "", value: "" }), "");
  for (const each of ["--a", "--a=b", "--a={\"k\": \"v=w\"}"]) assert.equal(joinFlag(splitFlag(each)), each);
});

test("a number of tokens is read as people write it", () => {
  for (const text of ["131072", "131 072", "131\u202f072", "131,072", "128k", " 128K "]) assert.equal(tokens(text), 131072);
  assert.equal(tokens("  "), null);
  for (const text of ["0", "-5", "many", "1e5", "12.5k.x", "999999999"]) assert.equal(tokens(text), undefined);
});

test("a knob that nobody touched stays nobody's choice", () => {
  const knobs = { max_model_len: null, fast_load: null };
  assert.deepEqual(turned(knobs, "gpu_memory_utilization", "80", false), { ...knobs, gpu_memory_utilization: 0.8 });
  assert.deepEqual(turned(knobs, "fast_load", "on", false), { ...knobs, fast_load: false });
  assert.deepEqual(turned(knobs, "max_model_len", "", false), { ...knobs, max_model_len: null });
  assert.equal(turned(knobs, "flag", "x", true), knobs);
});

test("changes are counted against what is saved", () => {
  const saved = { knobs: { max_model_len: 4096, fast_load: null }, flags: ["--a=1", "--b"] };
  assert.equal(changes(saved, { knobs: { max_model_len: 4096 }, flags: ["--b", "--a=1"] }), 0);
  assert.equal(changes(saved, { knobs: { max_model_len: 8192, fast_load: false }, flags: ["--a=2", "--b"] }), 3);
  assert.equal(changes(saved, { knobs: { max_model_len: 4096 }, flags: [] }), 2);
});

test("the numbers beside the slider move with it", () => {
  const memory = { total_bytes: 100 * GIB, measured: true, utilization: 0.8, allocated_bytes: 80 * GIB, left_bytes: 15 * GIB, sentences: ["So it is."], warnings: [] };
  assert.equal(plain(memoryWords({ memory, problems: [] }, 80)), "about 80.0 GB for the model, about 15.0 GB for everything else.");
  assert.equal(plain(memoryWords({ memory, problems: [] }, 90)), "about 90.0 GB for the model, about 5.0 GB for everything else.");
  assert.equal(moreMemoryWords({ memory: { ...memory, sentences: ["About.", "The weights.", "About 200 pages of text."] } }), "The weights.");
  assert.equal(moreMemoryWords(null), "");
  assert.match(plain(memoryWords({ memory, problems: [] }, 99)), /4\.0 GB more than there is/);
  assert.match(memoryWords({ memory: { ...memory, sentences: [], measured: false }, problems: [] }, 80), /on a usual Spark/);
  assert.equal(memoryWords(null, 80), "");
  assert.equal(sharePercent({}, { memory }), 80);
  assert.equal(sharePercent({ gpu_memory_utilization: 0.55 }, { memory }), 55);
  assert.equal(sharePercent({}, null), 90);
  assert.equal(contextWords(131072, null), "About 200 pages of text in one conversation.");
  assert.equal(contextWords(null, null), "");
});

test("problems stand where they belong", () => {
  const problem = (field, severity = "error") => ({ field, message: field, severity, near: [] });
  const all = ["knobs.max_model_len", "--seqs", "args[2]", "env.A", "elsewhere"].map((field) => problem(field));
  const found = sorted(all, ["knobs.max_model_len", "args", "env"], ["--seqs=4"]);
  assert.deepEqual([...found.fields.keys()], ["knobs.max_model_len", "args", "env"]);
  assert.deepEqual([...found.flags.keys()], ["--seqs"]);
  assert.deepEqual(found.rest.map((each) => each.field), ["elsewhere"]);
  assert.equal(isWell([problem("x", "warning")]), true);
  assert.equal(isWell(all), false);
});

test("a form says what it was told, and a recipe says what the form says", () => {
  const values = valuesOf(suggestion());
  assert.equal(values.args, "--gpu-memory-utilization=0.6");
  const { form, problems } = recipeOf(suggestion(), values, 2);
  assert.deepEqual(problems, []);
  assert.deepEqual(form.args, ["--max-model-len=131072", "--gpu-memory-utilization=0.6", "--enable-auto-tool-choice", "--tool-call-parser=hermes"]);
  assert.deepEqual(form.env, { A: "1=2" });
  assert.deepEqual([form.key, form.repo, form.mode, form.tensor_parallel, form.image, form.context_length], ["nano", "org/Nano", "solo", 1, null, 131072]);
});

test("what was changed in the form is in the recipe, no flag twice", () => {
  const values = { ...valuesOf(suggestion()), context_length: "64k", mode: "cluster", tool_parser: "", reasoning_parser: "nano_v3", served_name: " ", env: "A=1\n\nB=" };
  const { form } = recipeOf(suggestion(), values, 2);
  assert.deepEqual(form.args, ["--max-model-len=65536", "--gpu-memory-utilization=0.6", "--reasoning-parser=nano_v3"]);
  assert.deepEqual([form.mode, form.tensor_parallel, form.served_name], ["cluster", 2, null]);
  assert.deepEqual(form.capabilities, ["chat", "reasoning"]);
  assert.deepEqual(form.env, { A: "1", B: "" });
});

test("a form that is wrong says where", () => {
  const values = { ...valuesOf(suggestion()), name: " ", context_length: "long", env: "=x\nnovalue" };
  assert.deepEqual(recipeOf(suggestion(), values, 1).problems.map((each) => each.field), ["context_length", "name", "env", "env"]);
  const local = { local_path: "models/x", name: "", mode: "solo", context_length: "x", served_name: "", chat_template: "" };
  assert.deepEqual(localRecipe(local, 1).problems.map((each) => each.field), ["context_length", "local_path"]);
  assert.deepEqual(localRecipe({ ...local, local_path: "", context_length: "" }, 1), { form: null, problems: [] });
});

test("a local model is a directory and a name", () => {
  const values = { local_path: " /m/v3/ ", name: "", mode: "cluster", context_length: "", served_name: "mine", chat_template: "/m/v3/chat.jinja" };
  const { form } = localRecipe(values, 2);
  assert.deepEqual(form, {
    local_path: "/m/v3/", name: "v3", mode: "cluster", served_name: "mine", tensor_parallel: 2,
    args: ["--chat-template=/m/v3/chat.jinja"], context_length: null,
  });
});

test("each value says where it comes from and how sure it is", () => {
  assert.deepEqual(sourceOf(from(1, "guessed", "the model family", "it is new")).text, "The model family. It is new. Please check.");
  assert.equal(sourceOf(from(1, "guessed")).pill.tone, "warn");
  assert.equal(sourceOf(from(1)).pill.word, "Read");
  assert.equal(sourceOf(from(1, "derived")).pill.word, "Follows");
  assert.equal(sourceOf(from(1, "divined")).pill.word, "Guessed");
});

test("how a test ended, in a line", () => {
  const said = (verdict, more = {}) => testWords({ ok: verdict !== "bad", verdict, checks: [{ verdict, sentence: "First." }], note: "", ...more });
  assert.match(said("good").text, /A real load can still fail/);
  assert.deepEqual(said("bad"), { tone: "bad", text: "Test failed: First." });
  assert.equal(said("bad", { cause: { sentence: "Bad flag.", action: "Remove it." } }).text, "Test failed: Bad flag. Remove it.");
  assert.deepEqual(said("unknown"), { tone: "warn", text: "Not everything could be tested: First." });
  assert.match(said("bad", { checks: [] }).text, /The reason was not said/);
  assert.deepEqual(linesOf(" a \n\n b"), ["a", "b"]);
});

test("what is wrong is a sentence, whoever wrote it", () => {
  const text = (field, message) => problemText({ field, message });
  assert.equal(text("--x", "is not a flag of vLLM 0.12; did you mean --y?"), "--x is not a flag of vLLM 0.12; did you mean --y?");
  assert.equal(text("local_path", "must be absolute"), "This must be absolute.");
  assert.equal(text("--port", "the port is a setting (VLLM_PORT): leave it out"), "The port is a setting (VLLM_PORT): leave it out.");
  assert.equal(text("knobs.max_model_len", "--max-model-len stands in the list as well"), "--max-model-len stands in the list as well.");
  assert.equal(text("x", "Not good."), "Not good.");
});

test("a problem of a flag goes to the field that writes it", () => {
  const problems = ["--max-model-len", "--other", "name"].map((field) => ({ field, message: "is wrong", severity: "error", near: [] }));
  const names = { "--max-model-len": "context_length" };
  assert.deepEqual(renamed(problems, names, "args").map((each) => [each.field, each.message]), [
    ["context_length", "--max-model-len is wrong."], ["args", "--other is wrong."], ["name", "is wrong"],
  ]);
  assert.equal(renamed(problems, names)[1].field, "--other");
});
