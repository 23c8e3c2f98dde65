// @ts-check
// How a Spark was: a small line for each number, with a gap where nothing was read.

import { memory } from "../../format.js";

/** @typedef {import("../../types-health.js").Hardware} Hardware */
/** @typedef {import("../../types-health.js").HostHistory} HostHistory */
/** @typedef {import("../../types-health.js").Point} Point */

export const WIDTH = 120;
export const HEIGHT = 26;
/** @type {Record<string, number>} */
const SECONDS = { hour: 3600, day: 86400, week: 7 * 86400 };
const GIB = 2 ** 30;
const HOT_CELSIUS = 85;

/**
 * @typedef {object} Gauge
 * @property {string} term
 * @property {string} value  `not said` where nobody told.
 * @property {string} unit
 * @property {boolean} hot
 * @property {(point: Point) => number|null} of  What of a point is drawn.
 * @property {number} [top]  Where the line ends at the top; the highest value unless given.
 */

/** @param {number|null|undefined} value @param {(value: number) => string} [words] */
const said = (value, words = (each) => String(Math.round(each))) => (typeof value === "number" ? words(value) : "not said");

/** The numbers of a machine that change. @param {Hardware} hardware @returns {Gauge[]} */
export function gaugesOf({ gpu, memory: ram, load, cores }) {
  const celsius = gpu?.celsius;
  const limit = gpu?.watt_limit;
  return [
    { term: "GPU load", value: said(gpu?.percent), unit: "%", hot: false, of: (point) => point.gpu_percent, top: 100 },
    { term: "Temperature", value: said(celsius), unit: "°C", hot: typeof celsius === "number" && celsius >= HOT_CELSIUS, of: (point) => point.gpu_celsius_most ?? point.gpu_celsius },
    { term: "Power", value: said(gpu?.watts), unit: limit ? `of ${Math.round(limit)} W` : "W", hot: false, of: (point) => point.gpu_watts_most ?? point.gpu_watts },
    { term: "Memory", value: said(ram?.used, memory), unit: "GB", hot: Boolean(ram && ram.available / ram.total < 0.06), of: (point) => part(point.memory_most ?? point.memory_used), top: ram ? ram.total / GIB : undefined },
    { term: "Page cache", value: said(ram?.page_cache, memory), unit: "GB", hot: false, of: (point) => part(point.page_cache), top: ram ? ram.total / GIB : undefined },
    { term: "Processor", value: said(load[0], (value) => value.toFixed(1)), unit: cores ? `of ${cores} cores` : "", hot: Boolean(cores && load[0] > cores), of: (point) => point.load, top: cores ?? undefined },
  ];
}

/** @param {number|null|undefined} bytes */
function part(bytes) {
  return typeof bytes === "number" ? bytes / GIB : null;
}

/**
 * The line and the ground below it, and what they show in words.
 * @param {HostHistory|null} history @param {Gauge} gauge @param {number} now milliseconds
 * @returns {{line: string, area: string, label: string}}
 */
export function sparkline(history, gauge, now) {
  const span = history?.span ?? "hour";
  const over = `over the last ${span}`;
  const from = now - SECONDS[span] * 1000;
  const read = (history?.points ?? []).flatMap((point) => {
    const value = gauge.of(point);
    const at = Date.parse(point.at);
    return typeof value === "number" && at >= from - (history?.step_seconds ?? 0) * 1000 ? [{ at, value }] : [];
  });
  if (read.length === 0) return { line: "", area: "", label: `${gauge.term} ${over}: nothing was read` };
  const values = read.map((each) => each.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const top = Math.max(gauge.top ?? high * 1.15, high, 1e-9);
  const x = (/** @type {number} */ at) => round(Math.max(0, (at - from) / (SECONDS[span] * 1000)) * WIDTH);
  const y = (/** @type {number} */ value) => round(HEIGHT - 1 - (Math.max(0, value) / top) * (HEIGHT - 2));
  const gap = (history?.step_seconds ?? 20) * 2500;
  let line = "";
  let area = "";
  let begun = 0;
  read.forEach(({ at, value }, index) => {
    const torn = index === 0 || at - read[index - 1].at > gap;
    if (torn) begun = x(at);
    line += `${torn ? "M" : "L"}${x(at)} ${y(value)}`;
    const last = index === read.length - 1 || read[index + 1].at - at > gap;
    // A single reading between two gaps is a dot of a step's width.
    const end = last && torn ? round(begun + 0.6) : x(at);
    if (last && torn) line += `H${end}`;
    area += torn ? `M${begun} ${HEIGHT}V${y(value)}` : `L${x(at)} ${y(value)}`;
    if (last) area += `${last && torn ? `H${end}` : ""}V${HEIGHT}z`;
  });
  return { line, area, label: `${gauge.term} ${over}: between ${short(low)} and ${short(high)}, now ${gauge.value} ${gauge.unit}`.trimEnd() };
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/** @param {number} value */
function short(value) {
  return value >= 20 ? String(Math.round(value)) : String(round(value));
}
