import assert from "node:assert/strict";
import { test } from "node:test";

import { captureNotice } from "../../src/spark_gateway/static/capturing.js";
import { downloadButton, downloadEffect, downloadTitle, downloadWords, failedDownloads, settled, targets } from "../../src/spark_gateway/static/downloading.js";
import { explainedWords, framesOf, heard, nothingYet } from "../../src/spark_gateway/static/explaining.js";
import { deleteQuestion, quarantineQuestion } from "../../src/spark_gateway/static/questions-disk.js";
import { switchQuestion } from "../../src/spark_gateway/static/questions.js";
import { applyQuestion, lookedWords, lookLabel, pendingCommits, updateLook, whyNotExplained } from "../../src/spark_gateway/static/updating.js";
import { ago, download, host, menu, model, NOW, plain, stateOf, swap, update, updates } from "./scenes.js";

const GIB = 2 ** 30;
const plan = (changes = {}) => ({
  model_name: "BETA", stops: "ALPHA", in_flight: 2, drain_seconds: 30, eta_seconds: 200, back_seconds: 110, blockers: [], doubts: [],
  nodes: [{ host: "spark1", label: "Spark 1", total_bytes: 119.7 * GIB, needed_bytes: 96 * GIB, headroom_bytes: 15 * GIB, verdict: "good" }],
  launch_cmd: "run it", ...changes,
});
const effects = (question) => question.effects.map((effect) => plain(`${effect.what} ${effect.how ?? ""}`.trim()));

test("a plan makes the question exact", () => {
  const question = switchQuestion(model("beta"), stateOf(), plan());
  const said = effects(question);
  assert.equal(said[0], "ALPHA stops. 2 answers are being written now; they get up to 30 s to finish.");
  assert.equal(said[1], "No chat for about 3 min 20 s. Apps are told to try again.");
  assert.equal(said[3], "It fits: 96.0 of 119.7 GB on Spark 1, 15.0 GB stay free.");
  assert.deepEqual(question.choices.map((choice) => choice.name), ["rollback", "force"]);
  assert.match(plain(question.choices[0].help), /about 1 min 50 s/);
  assert.match(plain(question.choices[1].label), /after 30 s/);
  assert.equal(question.more.choices[0].name, "drop_caches");
  assert.equal(question.more.command, "run it");
  assert.equal(question.blocked, "");
});

test("a plan never invents: no time, no count, no verdict", () => {
  const node = { ...plan().nodes[0], verdict: "unknown", total_bytes: null, headroom_bytes: null };
  const said = effects(switchQuestion(model("beta", { load_seconds: 60 }), stateOf(), plan({ eta_seconds: null, in_flight: null, nodes: [node], doubts: ["the disk"] })));
  assert.match(said[0], /get time to finish first/);
  assert.match(said[1], /no time is known/);
  assert.equal(said[3], "Not known whether it fits Spark 1: 96.0 GB on Spark 1.");
  assert.equal(said[4], "Not checked: the disk");
  assert.match(effects(switchQuestion(model("beta"), stateOf(), plan({ in_flight: 0 })))[0], /No answer is being written now/);
  assert.match(effects(switchQuestion(model("beta"), stateOf(), plan({ in_flight: 1 })))[0], /1 answer is being written now; it gets/);
});

test("what stands in the way is said, and the button is off", () => {
  const blocked = switchQuestion(model("beta"), stateOf(), plan({ blockers: [{ code: "x", sentence: "Too big.", action: "Make it smaller." }] }));
  assert.equal(blocked.blocked, "Not possible as it stands");
  assert.ok(effects(blocked).includes("Too big. Make it smaller."));
  const swaps = { current: swap("loading"), queue: [], recent: [] };
  assert.equal(switchQuestion(model("gamma"), stateOf({ swaps }), plan({ blockers: [{ sentence: "A swap runs.", action: "" }] })).blocked, "");
});

test("during an update of the launcher the question is about the queue", () => {
  const news = updates({ job: update() });
  const question = switchQuestion(model("beta"), stateOf({ updates: news }), plan({ blockers: [{ sentence: "It is being updated.", action: "" }] }));
  assert.deepEqual([question.title, question.go, question.safe, question.blocked], ["Queue a swap to BETA?", "Queue the swap", "Not now", ""]);
  assert.match(effects(question)[0], /The update of the model launcher goes on. This one starts when it is done/);
  assert.match(effects(question)[1], /ALPHA stops then/);
});

test("a deletion shows what is freed and keeps its button off until it is known", () => {
  const places = [{ host: "spark1", label: "Spark 1", frees_bytes: 63.4e9, shared_bytes: 2e9, free_after_bytes: 2.31e12, stale: true, root_owned: true }];
  const first = deleteQuestion(model("beta"), stateOf(), null);
  assert.equal(first.blocked, "Looking at the disks");
  const known = deleteQuestion(model("beta"), stateOf(), { places, frees_bytes: 63.4e9, blockers: [], notes: ["Settings are kept."] });
  assert.equal(plain(known.go), "Delete 63.4 GB");
  assert.deepEqual(known.rows.map((row) => plain(`${row.label}: ${row.value}`)), ["Spark 1: 63.4 GB freed, then 2.31 TB free", "Spark 2: not there"]);
  assert.match(plain(known.rows[0].note), /2\.0 GB stay.*root.*as last seen/);
  const held = deleteQuestion(model("beta"), stateOf(), { places, frees_bytes: 1, blockers: ["It is loaded."], notes: [] });
  assert.deepEqual([held.blocked, held.effects.map((effect) => effect.what)], ["Not possible now", ["It is loaded."]]);
});

test("a deletion of one copy counts only that one and says what stays", () => {
  const both = model("beta", { copies: [{ host: "spark1", size_bytes: 63e9, state: "ready" }, { host: "spark2", size_bytes: 12e9, state: "broken" }] });
  const place = (number, frees) => ({ host: `spark${number}`, label: `Spark ${number}`, frees_bytes: frees, shared_bytes: 0 });
  const plan = { places: [place(1, 63e9), place(2, 12e9)], frees_bytes: 75e9, blockers: [], notes: [] };
  const said = (question) => [question.go, ...question.rows.map((row) => `${row.label}: ${row.value}`)].map(plain);
  assert.deepEqual(said(deleteQuestion(both, stateOf(), null, ["spark2"])), ["Delete 12.0 GB", "Spark 2: 12.0 GB, being looked at"]);
  assert.deepEqual(said(deleteQuestion(both, stateOf(), plan, ["spark2"])), ["Delete 12.0 GB", "Spark 2: 12.0 GB freed", "Spark 1: stays"]);
  assert.deepEqual(said(deleteQuestion(both, stateOf(), plan)), ["Delete 75.0 GB", "Spark 1: 63.0 GB freed", "Spark 2: 12.0 GB freed"]);
});

test("a deletion does not claim that something serves when nothing does", () => {
  const plan = { places: [], frees_bytes: 0, blockers: [], notes: [] };
  assert.deepEqual(effects(deleteQuestion(model("beta"), stateOf(), plan)), ["Nothing stops now. ALPHA keeps serving."]);
  const idle = stateOf({ menu: menu({ runtime: { state: "idle" } }) });
  assert.deepEqual(effects(deleteQuestion(model("beta"), idle, plan)), ["Nothing stops now."]);
});

test("letting a model load again says what it did", () => {
  const said = effects(quarantineQuestion(model("beta", { quarantine: { reason: "No answer for 9 min.", since: ago(5), host: "spark1" } }), stateOf()));
  assert.match(said[0], /took a Spark down. No answer for 9 min/);
  assert.match(said[1], /Spark 1 may then have to be switched off/);
});

test("a download says how far and how long, as far as that is known", () => {
  assert.equal(plain(downloadWords(download())), "24.9 GB of 60.0 GB · 92 MB/s · about 6 min 30 s left");
  assert.equal(plain(downloadWords(download({ total_bytes: null, bytes_per_second: null, eta_seconds: null }))), "24.9 GB so far");
  assert.equal(downloadWords(download({ total_bytes: null, done_bytes: 0, bytes_per_second: null, eta_seconds: null, message: "Asking." })), "Asking.");
  assert.equal(downloadTitle(download()), "alpha to Spark 1");
});

test("only failures that still matter stay in sight", () => {
  const recent = [
    download({ id: "a", state: "failed", finished_at: ago(60) }), download({ id: "b", state: "failed", finished_at: ago(90), repo: "org/x" }),
    download({ id: "c", state: "complete", finished_at: ago(60), repo: "org/y" }), download({ id: "d", state: "failed", finished_at: ago(999), repo: "org/y" }),
    download({ id: "e", state: "failed", finished_at: ago(90000), repo: "org/z" }),
  ];
  const ids = (running, dismissed) => failedDownloads({ running, recent }, dismissed, NOW).map((each) => each.id);
  assert.deepEqual(ids([], []), ["a", "b"]);
  assert.deepEqual(ids([download()], []), ["b"]);
  assert.deepEqual(ids([], ["a"]), ["b"]);
  assert.deepEqual(failedDownloads(null, [], NOW), []);
});

test("what our own download left half there can go on at once", () => {
  const left = model("a", { state: "downloading", copies: [{ host: "spark2", size_bytes: 9e9, state: "downloading" }] });
  const after = (changes, running = []) => settled(left, { running, recent: [download({ repo: "ORG/a", state: "failed", finished_at: ago(60), ...changes })] }, NOW);
  assert.deepEqual([after({}).state, after({}).copies[0].state], ["incomplete", "incomplete"]);
  assert.equal(after({ state: "cancelled" }).state, "incomplete");
  for (const other of [{ finished_at: ago(600) }, { state: "complete" }, { repo: "org/b" }]) assert.equal(after(other), left);
  assert.equal(after({}, [download({ id: "d2", repo: "org/a" })]), left);
  assert.equal(settled(left, null, NOW), left);
  const whole = { ...left, source: null, copies: [...left.copies, { host: "spark1", size_bytes: 20e9, state: "ready" }] };
  assert.equal(settled(whole, { running: [], recent: [download({ repo: "org/a", state: "failed", finished_at: ago(60) })] }, NOW).state, "needs_setup");
});

test("where to download to, with the room before and after", () => {
  const places = [{ host: "spark1", label: "Spark 1", state: "partial", done_bytes: 1e9, free_bytes: 2e12, free_after_bytes: 1.9e12, problem: null }];
  const list = targets(menu({ hosts: [host(1), host(2, { state: "unreachable" })] }), { places, blockers: [] });
  assert.deepEqual(list.map((each) => plain(each.help))[0], "2.00 TB free, 1.90 TB after. 1.0 GB are there already.");
  assert.match(list[1].help, /cannot be reached/);
  assert.deepEqual(list[2].hosts, ["spark1", "spark2"]);
  assert.equal(targets(menu({ hosts: [host(1)] }), null).length, 1);
  assert.equal(plain(downloadButton({ missing_bytes: 60.8e9 })), "Download 60.8 GB");
  assert.equal(downloadButton({ missing_bytes: null }), "Download");
  assert.equal(plain(downloadEffect({ missing_bytes: 60.8e9, eta_seconds: 660 }).what), "60.8 GB, about 11 min at your usual speed.");
  assert.match(downloadEffect({ missing_bytes: null }).what, /not known before it starts/);
  assert.equal(downloadEffect({ missing_bytes: 0 }).what, "Everything is there already.");
});

test("the banner is only there when there is something to say", () => {
  const none = { checkouts: [{ ...updates().checkouts[0], behind: 0, commits: [] }] };
  assert.equal(updateLook(null, [], NOW), null);
  assert.equal(updateLook(updates(none), [], NOW), null);
  assert.equal(updateLook(updates({ ...none, job: update({ state: "cancelled" }) }), [], NOW), null);
  assert.equal(updateLook(updates(), [], NOW).title, "2 updates of the model launcher");
  const one = updates({ checkouts: [{ ...updates().checkouts[0], behind: 1 }] });
  assert.equal(updateLook(one, [], NOW).title, "1 update of the model launcher");
  assert.match(updateLook(updates(), [], NOW).text, /Remote not asked yet: press “Look for updates of the launcher”\.$/);
  const asked = updates({ checkouts: [{ ...updates().checkouts[0], fetched_at: ago(190) }] });
  assert.match(plain(updateLook(asked, [], NOW).text), /Asked the remote 3 min ago\.$/);
  assert.equal(updateLook(updates({ can_apply: false, blockers: ["A swap is running."] }), [], NOW).why, "A swap is running.");
  assert.equal(pendingCommits(updates({ checkouts: [...updates().checkouts, ...updates().checkouts] })).length, 2);
});

test("a running, a failed and a finished update", () => {
  const running = updateLook(updates({ job: update() }), [], NOW);
  assert.equal(plain(running.text), "Building the image · 42 % · about 9 min left · Step 11/26");
  assert.deepEqual([running.apply, running.revert, running.percent], ["", false, 42]);
  const job = update({ state: "failed", cause: { sentence: "No room.", action: "Free some.", evidence: ["ENOSPC"] } });
  const failed = updateLook(updates({ job, can_revert: true }), [], NOW);
  assert.deepEqual([failed.kind, failed.text, failed.apply, failed.revert, failed.evidence], ["failed", "No room. Free some.", "Try again…", true, ["ENOSPC"]]);
  assert.equal(updateLook(updates({ job }), ["u1"], NOW).kind, "pending");
  const none = { checkouts: [], can_revert: true };
  const done = update({ state: "complete", finished_at: ago(600) });
  assert.equal(updateLook(updates({ ...none, job: done }), [], NOW).kind, "done");
  assert.equal(updateLook(updates({ ...none, job: update({ state: "complete", finished_at: ago(90000) }) }), [], NOW), null);
  assert.equal(updateLook(updates({ ...none, job: { ...done, direction: "revert" } }), [], NOW), null);
  assert.match(updateLook(updates({ job: { ...job, direction: "revert" } }), [], NOW).title, /Going back/);
  assert.match(effects(applyQuestion(updates()))[0], /5 to 40 minutes/);
});

test("the button that looks for updates says how old the last look is", () => {
  const said = (...times) => plain(lookLabel(updates({ checkouts: times.map((fetched_at) => ({ ...updates().checkouts[0], fetched_at })) }), NOW));
  assert.equal(lookLabel(null, NOW), "Look for updates of the launcher");
  assert.equal(said(null), "Look for updates of the launcher (remote not asked yet)");
  assert.equal(said(ago(30), ago(190)), "Look for updates of the launcher (asked the remote 3 min ago)");
});

test("a look for updates says what it found", () => {
  const checkout = updates().checkouts[0];
  assert.equal(lookedWords(updates(), NOW).title, "2 updates of the model launcher");
  const looked = (...each) => lookedWords(updates({ checkouts: each.map((facts) => ({ ...checkout, behind: 0, commits: [], ...facts })) }), NOW);
  const fresh = looked({ fetched_at: ago(30) }, { fetched_at: ago(190) });
  assert.deepEqual([fresh.title, plain(fresh.text)], ["The model launcher is up to date", "Asked the remote 3 min ago."]);
  for (const never of [looked({}), looked({ fetched_at: null }), looked({ fetched_at: ago(30) }, { fetched_at: null }), looked()]) {
    assert.equal(never.title, "Nobody asked for news of the model launcher");
    assert.match(never.text, /^Remote not asked yet: press/);
  }
  assert.equal(looked({ fetched_at: ago(30) }, { behind: null }).tone, "ok");
  assert.deepEqual(lookedWords(updates({ checkouts: [{ ...checkout, problem: "No route." }] }), NOW), { tone: "bad", title: "Could not look everywhere", text: "No route." });
});

test("explaining needs somebody who explains", () => {
  assert.equal(whyNotExplained(stateOf()), "");
  assert.match(whyNotExplained(stateOf({ menu: menu({ runtime: { state: "idle" } }) })), /needs a loaded model/);
  assert.match(whyNotExplained(stateOf({ swaps: { current: swap("loading"), queue: [], recent: [] } })), /needs a loaded model/);
});

const frame = (event, body) => `event: ${event}\ndata: ${JSON.stringify(body)}\n\n`;
const told = (wire, size = 4096) => {
  let [so, rest] = [nothingYet(), ""];
  for (let at = 0; at < wire.length; at += size) {
    const read = framesOf(rest + wire.slice(at, at + size));
    rest = read.rest;
    for (const each of read.events) so = heard(so, each);
  }
  return so;
};

test("an explanation grows word by word, its reasoning apart, however the pieces are cut", () => {
  const said = [["reasoning", "Let me "], ["reasoning", "see."], ["text", "It is "], ["text", "faster."], ["reasoning", " Done."]];
  const wire = `retry: 1000\n\n: keep-alive\n\n${said.map(([event, text]) => frame(event, { text })).join("")}${frame("done", { cut: false })}`;
  for (const size of [1, 7, 4096]) {
    assert.deepEqual(told(wire, size), { text: "It is faster.", reasoning: "Let me see. Done.", done: true, cut: false, problem: "" });
  }
});

test("what turns out to be thinking moves there", () => {
  const so = told(frame("text", { text: "First I " }) + frame("reasoning", { text: "look." }) + frame("text", { text: "It is faster.", replace: true }));
  assert.deepEqual([so.reasoning, so.text], ["First I look.", "It is faster."]);
});

test("an explanation that breaks says so, and half a line breaks nothing", () => {
  assert.equal(heard(nothingYet(), { event: "error", data: "{\"code\": \"model_stopped\", \"message\": \"It went away.\"}" }).problem, "It went away.");
  assert.equal(heard(nothingYet(), { event: "error", data: "{}" }).problem, "The model stopped in the middle.");
  for (const data of ["{\"te", "null", "7", "{\"text\": 7}"]) assert.deepEqual(heard(nothingYet(), { event: "text", data }), nothingYet());
  assert.deepEqual(heard(nothingYet(), { event: "later", data: "{\"text\": \"x\"}" }), nothingYet());
  assert.deepEqual(framesOf("data: a\r\ndata: b\r\n\r\nrest"), { events: [{ event: "message", data: "a\nb" }], rest: "rest" });
});

test("an explanation in words, at each moment", () => {
  const words = (changes) => explainedWords({ ...nothingYet(), ...changes });
  assert.equal(words({}), "It is reading the changes.");
  assert.equal(words({ reasoning: "hm" }), "It is thinking.");
  assert.equal(words({ text: "\n\nFaster." }), "Faster.");
  assert.equal(words({ done: true }), "It said nothing.");
  assert.equal(words({ text: "Fas", done: true, problem: "It stopped." }), "Fas\n\nIt stopped.");
  assert.equal(words({ text: "Fas", done: true, cut: true }), "Fas\n\nIt ends here because it became too long.");
});

test("a capture of bodies is said for as long as it lasts", () => {
  const capture = { on: true, until: ago(-300), requested_by: "Alice", kept: 1 };
  assert.match(captureNotice({ capture }, NOW).text, /^Alice switched it on\. 1 request is kept so far; at \d\d:\d\d it ends/);
  assert.match(captureNotice({ capture: { ...capture, kept: 3 } }, NOW).text, /3 requests are kept/);
  assert.equal(captureNotice({ capture: { ...capture, until: ago(1) } }, NOW), null);
  assert.equal(captureNotice({ capture: { on: false } }, NOW), null);
  assert.equal(captureNotice(stateOf(), NOW), null);
});
