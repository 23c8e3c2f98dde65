// @ts-check
// How the first steps stand, in words. Pure.

import { listed } from "../../format.js";

/** @typedef {import("../../types.js").State} State */
/** @typedef {{step: string, ok: boolean, sentence: string, action: string}} Step */
/** @typedef {{name: string, label: string, ok: boolean, steps: Step[], seconds: number}} AccessTest */
/** @typedef {{name: string, label: string, address: string, user: string, ssh_port: number}} HostAccess */
/** @typedef {{public_key: string|null, fingerprint: string|null, command: string|null, problem: string, hosts: HostAccess[]}} Access */

/** Whether no Spark ever let us in: then the guide is shown by itself. @param {State} state */
export function neverConnected(state) {
  const hosts = state.menu?.hosts ?? [];
  return hosts.length > 0 && hosts.every((host) => host.state === "unreachable" && !host.seen_at);
}

/** Where a Spark is logged in to. @param {HostAccess} host */
export function loginOf({ user, address, ssh_port: port }) {
  return port === 22 ? `ssh ${user}@${address}` : `ssh -p ${port} ${user}@${address}`;
}

/**
 * What all tests together say.
 * @param {HostAccess[]} hosts @param {Map<string, AccessTest>} tests
 * @returns {{tone: import("../../types.js").Tone, icon: string, title: string, text: string}|null} null while nothing was tested
 */
export function outcome(hosts, tests) {
  const done = hosts.filter(({ name }) => tests.has(name));
  if (done.length === 0) return null;
  const failed = done.filter(({ name }) => !tests.get(name)?.ok);
  if (failed.length > 0) return { tone: "bad", icon: "bad", title: `${listed(failed.map(({ label }) => label))} cannot be used yet`, text: "What to do stands beside it. Nothing on it was changed." };
  const open = hosts.filter(({ name }) => !tests.has(name));
  if (open.length > 0) return { tone: "now", icon: "clock", title: `${listed(done.map(({ label }) => label))} is connected`, text: `Test ${listed(open.map(({ label }) => label))} too.` };
  const lacking = hosts.filter(({ name }) => tests.get(name)?.steps.some(({ ok }) => !ok));
  const all = hosts.length === 1 ? `${hosts[0].label} is connected` : hosts.length === 2 ? "Both Sparks are connected" : `All ${hosts.length} Sparks are connected`;
  if (lacking.length > 0) return { tone: "warn", icon: "warn", title: all, text: `${listed(lacking.map(({ label }) => label))} still ${lacking.length === 1 ? "lacks" : "lack"} something, as it says there.` };
  return { tone: "ok", icon: "check", title: all, text: "Pick a model: the ones on the disks are listed below." };
}
