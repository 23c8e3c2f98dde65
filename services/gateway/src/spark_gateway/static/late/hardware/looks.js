// @ts-check
// A Spark as a machine, in words: what of it is known, how old that is, who takes the memory.

import { ago, asSentence, clockTime, diskShare, diskSize, duration, memory } from "../../format.js";

/** @typedef {import("../../types-health.js").Hardware} Hardware */
/** @typedef {import("../../types.js").Tone} Tone */
/** @typedef {{tone: Tone, icon: string, word: string}} Pill */

/** An answer of the health service itself may be this old before its numbers are old news. */
const ANSWER_MS = 40_000;
const GIB = 2 ** 30;

/** @type {Record<string, Pill>} */
const PILLS = {
  slow: { tone: "warn", icon: "clock", word: "Slow" },
  partly: { tone: "warn", icon: "warn", word: "Answers in part" },
  hung: { tone: "bad", icon: "bad", word: "Hangs" },
  dead: { tone: "bad", icon: "bad", word: "Cannot be reached" },
  refused: { tone: "bad", icon: "bad", word: "Does not let us in" },
};

/** Who takes memory: the word, and which of the fixed colours. @type {Record<string, [string, string]>} */
const USES = {
  vllm: ["Model", "model"],
  speech: ["Speech", "speech"],
  embeddings: ["Embeddings", "search"],
  vectors: ["Search", "search"],
  other: ["Other programs", "other"],
  page_cache: ["Page cache", "system"],
};
const ORDER = ["vllm", "speech", "embeddings", "vectors", "other", "page_cache"];

/** How a Spark answers, where that is not simply well. @param {Hardware|null} hardware @returns {Pill|null} */
export function answeringPill(hardware) {
  return hardware ? PILLS[hardware.answering] ?? null : null;
}

/**
 * What was heard of one Spark, and how old its numbers are by now.
 * @param {{value: any, problem: string, at: number}|undefined} known @param {string} name @param {number} now milliseconds
 * @returns {{hardware: Hardware|null, age: number|null, stale: boolean, problem: string}}
 */
export function heardOf(known, name, now) {
  const hardware = /** @type {Hardware|null} */ (known?.value?.hosts.find((/** @type {Hardware} */ each) => each.name === name) ?? null);
  if (!known || !hardware) return { hardware: null, age: null, stale: true, problem: known?.problem ?? "" };
  const since = Math.max(0, now - known.at);
  const age = hardware.age_seconds === null ? null : hardware.age_seconds + since / 1000;
  return { hardware, age, stale: hardware.stale || age === null || since > ANSWER_MS, problem: known.problem };
}

/** The line below the name, when the numbers are not of this moment. @param {ReturnType<typeof heardOf>} heard @param {number} now */
export function ageWords({ hardware, age, stale, problem }, now) {
  if (!hardware) return problem ? `Nothing is known of the machine: ${problem}` : "";
  if (!stale) return "";
  const why = problem ? ` ${asSentence(problem)}` : "";
  return age === null ? `Its numbers were never read.${why}` : `These numbers are old: read ${ago(now - age * 1000, now)}.${why}`;
}

/**
 * The memory in parts, in gigabytes, in their fixed order; what nobody said is left out.
 * @param {Hardware} hardware
 * @returns {{total: number, parts: {name: string, word: string, use: string, size: number}[], free: number, unsaid: string[]}|null}
 */
export function memoryParts({ memory: said, consumers }) {
  if (!said) return null;
  const parts = [];
  const unsaid = [];
  for (const name of ORDER) {
    const [word, use] = USES[name];
    const bytes = consumers.find((each) => each.name === name)?.bytes;
    if (bytes === null) unsaid.push(word);
    else if (bytes !== undefined && bytes >= 0.05 * GIB) parts.push({ name, word, use, size: bytes / GIB });
  }
  const taken = parts.reduce((sum, each) => sum + each.size, 0);
  return { total: said.total / GIB, parts, free: Math.max(0, said.total / GIB - taken), unsaid };
}

/** `Model 83.8` … for the legend and for who does not see the bar. @param {NonNullable<ReturnType<typeof memoryParts>>} split */
export function memoryWords({ parts, free, unsaid }) {
  const words = parts.map(({ name, word, use, size }) => ({ name, use, text: `${word} ${size.toFixed(1)}${name === "page_cache" ? ", makes room" : ""}` }));
  const silent = unsaid.map((word) => ({ name: word, use: "", text: `${word}: not said` }));
  return [...words, ...silent, { name: "free", use: "free", text: `Free ${free.toFixed(1)}` }];
}

/** `92.3` of `119.7` GB. @param {Hardware} hardware */
export function memoryHead({ memory: said }) {
  if (!said) return null;
  const tight = said.available / said.total < 0.06 ? ", tight" : "";
  return { used: memory(said.used), total: memory(said.total), free: `${memory(said.available)}\u00a0GB can be used${tight}` };
}

/** Small facts of the machine, as term and words. @param {Hardware} hardware @returns {[string, string][]} */
export function factsOf(hardware) {
  const { disk, uptime_seconds: up, routes, gpu, memory: said } = hardware;
  /** @type {[string, string|null][]} */
  const facts = [
    ["Disk", disk && `${diskShare(disk.used, disk.total)} of ${diskSize(disk.total)}${disk.available / disk.total < 0.05 ? ", nearly full" : ""}`],
    ["Up", up === null ? null : duration(up)],
    ["Network", routeWords(routes)],
    ["GPU", gpu && [gpu.name, gpu.driver && `driver ${gpu.driver}`].filter(Boolean).join(", ")],
    ["GPU clock", gpu?.sm_mhz ? `${Math.round(gpu.sm_mhz)}${gpu.sm_max_mhz ? ` of ${Math.round(gpu.sm_max_mhz)}` : ""}\u00a0MHz` : null],
    ["Swapped out", said?.swap_used && said.swap_used > 0.5 * GIB ? `${memory(said.swap_used)}\u00a0GB on disk` : null],
  ];
  return facts.flatMap(([term, words]) => (words ? [/** @type {[string, string]} */ ([term, words])] : []));
}

/** The route in use first. @param {Hardware["routes"]} routes */
function routeWords(routes) {
  const words = { cable: "cable", wifi: "Wi-Fi", other: "other" };
  const names = [...new Set(routes.map((route) => words[route.kind]))];
  return names.length > 1 ? `${names[0]}, also ${names.slice(1).join(", ")}` : names[0] ?? null;
}

/** What is not right or not said about the machine, a sentence each. @param {Hardware} hardware */
export function remarks(hardware) {
  const { driver_mismatch: mismatch, clock_skew_seconds: skew, gpu_problem: problem, unread } = hardware;
  const found = [];
  if (mismatch) found.push("Driver and library are of different versions: start it anew.");
  if (skew !== null && Math.abs(skew) >= 2) found.push(`Its clock is ${duration(Math.abs(skew))} ${skew > 0 ? "ahead" : "behind"}.`);
  if (problem) found.push(asSentence(problem));
  return [...found, ...unread.map(asSentence)];
}

/** A private network over the Internet, as a badge. @param {Hardware["badges"][number]} badge */
export function badgeWord({ kind, address }) {
  return `${kind === "wireguard" ? "WireGuard" : "Tailscale"} ${address}`;
}

/** What became of waking it. @param {Hardware} hardware @param {number} now @returns {{tone: Tone, text: string}|null} */
export function wakeWords({ wake }, now) {
  if (!wake) return null;
  if (wake.state === "waiting") {
    return { tone: "now", text: `${asSentence(wake.sentence)} Watched until ${clockTime(wake.until)}.` };
  }
  const old = now - Date.parse(wake.sent_at) > 3600_000;
  if (old) return null;
  return wake.state === "awake" ? { tone: "ok", text: asSentence(wake.sentence) } : { tone: "bad", text: asSentence(wake.sentence) };
}
