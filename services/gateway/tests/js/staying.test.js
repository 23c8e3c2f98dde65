import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Acting } from "../../src/spark_gateway/static/acts/acting.js";
import { Staying } from "../../src/spark_gateway/static/acts/staying.js";
import { forget, holding, keep } from "../../src/spark_gateway/static/holding.js";
import { Store } from "../../src/spark_gateway/static/store.js";
import { lease, snapshot, waiter } from "./scenes.js";

const TOKEN = "lease-token";
const WAITING = { state: "waiting", holder: "Bob", reason: "", ttl_seconds: 600, epoch: null, ticket: "t1", seenWithin: 60 };
const inLine = () => lease("held", { queue: [waiter(1)], yours: "place", ticket: "t1" });
const myTurn = () => lease("granted", { holder: "Bob", epoch: 8, yours: "place", ticket: "t1" });
const mineNow = () => lease("held", { holder: "Bob", epoch: 8, yours: "lease" });

/** A page without a document: what it asks the server is answered by `answers`, in order of asking. */
class Page {
  toasts = { said: [], add: (...words) => this.toasts.said.push(words) };
  asked = [];
  answers = [];

  constructor() {
    this.store = new Store();
    this.staying = new Staying(this);
    this.store.addEventListener("told", ({ detail }) => this.staying.told(detail.type, detail.data));
    globalThis.fetch = (path, { method }) => {
      this.asked.push(method);
      return Promise.resolve(this.answers.shift()?.() ?? assert.fail(`nobody answers ${method} ${path}`));
    };
  }

  get state() {
    return this.store.state;
  }

  say(type, data) {
    this.store.say({ type, data, at: Date.now() });
  }

  attempt = Acting.prototype.attempt;

  /** A second passes. */
  async second() {
    mock.timers.tick(1000);
    this.staying.tick(Date.now());
    await this.settled();
  }

  async settled() {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  }
}

const answer = (body) => () => Response.json(body);
const silence = () => Promise.reject(new TypeError("Failed to fetch"));
const granted = () => answer({ state: "held", token: TOKEN, epoch: 8, seen_within_seconds: null });

/** @type {Page} */
let page;

beforeEach(() => {
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  page = new Page();
  keep(WAITING, TOKEN);
  page.say("snapshot", snapshot({ lease: inLine() }));
  page.answers.push(answer(inLine()));
  page.staying.begin();
});

afterEach(() => {
  mock.timers.reset();
  forget();
  assert.equal(page.answers.length, 0, "everything expected was asked");
});

test("a place in line is shown once per third of the time it has", async () => {
  await page.settled();
  for (let second = 0; second < 19; second += 1) await page.second();
  assert.deepEqual(page.asked, ["GET"]);
  page.answers.push(answer(inLine()));
  await page.second();
  assert.deepEqual(page.asked, ["GET", "GET"]);
});

test("a turn is taken up as soon as it is told", async () => {
  await page.settled();
  page.answers.push(answer(myTurn()), granted(), answer(mineNow()));
  page.say("lock.granted", { ticket: "t1" });
  await page.settled();
  assert.equal(holding()?.state, "held");
  assert.equal(holding()?.epoch, 8);
});

test("a turn told while an answer is under way is not lost", async () => {
  page.answers.push(answer(myTurn()), granted(), answer(mineNow()));
  page.say("lock.granted", { ticket: "t1" });
  await page.settled();
  assert.deepEqual(page.asked, ["GET", "GET", "POST", "GET"]);
  assert.equal(holding()?.state, "held");
});

test("a turn nobody told is seen in the next picture of the lease", async () => {
  await page.settled();
  page.say("lease", lease("granted", { holder: "Bob", epoch: 8 }));
  page.answers.push(answer(myTurn()), granted(), answer(mineNow()));
  await page.second();
  assert.equal(holding()?.state, "held");
});

test("without an answer it is asked again after a second, and not more often", async () => {
  await page.settled();
  page.answers.push(silence);
  page.say("lock.granted", { ticket: "t1" });
  await page.settled();
  page.answers.push(answer(myTurn()), silence);
  await page.second();
  assert.deepEqual(page.asked, ["GET", "GET", "GET", "POST"]);
  page.answers.push(answer(myTurn()), granted(), answer(mineNow()));
  await page.second();
  assert.equal(holding()?.state, "held");
});

test("a place that is gone is said once", async () => {
  await page.settled();
  page.answers.push(answer(lease("free", { yours: null })));
  page.say("lock.dropped", { ticket: "t1" });
  await page.settled();
  await page.second();
  assert.equal(holding(), null);
  assert.deepEqual(page.toasts.said.map(([, title]) => title), ["You are not in line any more"]);
});

test("a reservation under a new number stays ours", async () => {
  await page.settled();
  keep({ ...WAITING, state: "held", epoch: 7, ticket: null }, TOKEN);
  page.say("holding", holding());
  page.answers.push(answer(lease("held", { holder: "Bob", epoch: 9, yours: "lease" })));
  page.say("lease", lease("held", { holder: "Bob", epoch: 9 }));
  await page.second();
  assert.equal(page.state.holding?.epoch, 9);
});
