// @ts-check
// Numbers, durations and times as people read them.

const GAP = "\u00a0";
const UNKNOWN = "unknown";

/** @param {number} value */
function grouped(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/**
 * A count: `262 144`.
 * @param {number|null|undefined} value
 */
export function count(value) {
  return value === null || value === undefined ? UNKNOWN : grouped(value);
}

/**
 * A duration: `48 s`, `1 min 20 s`, `3 h 40 min`, `12 d 4 h`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  /** @type {[number, string][]} */
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return `0${GAP}s`;
  const [size, word] = units[first];
  const head = `${Math.floor(whole / size)}${GAP}${word}`;
  const next = units[first + 1];
  const rest = next ? Math.floor((whole % size) / next[0]) : 0;
  return rest > 0 ? `${head} ${rest}${GAP}${next[1]}` : head;
}

/**
 * A duration nobody should take to the second: 5 s steps below a minute, then 10 s, then minutes.
 * @param {number} seconds
 */
export function roughly(seconds) {
  const step = seconds < 60 ? 5 : seconds < 600 ? 10 : 60;
  return duration(Math.max(step, Math.round(seconds / step) * step));
}

/**
 * A size on disk in decimal units: `63.4 GB`, `2.25 TB`.
 * @param {number|null|undefined} bytes
 */
export function diskSize(bytes) {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  if (bytes >= 1e12) return `${(bytes / 1e12).toFixed(2)}${GAP}TB`;
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)}${GAP}GB`;
  return `${Math.round(bytes / 1e6)}${GAP}MB`;
}

/**
 * Two sizes in the unit of the larger one: `0.61` of `3.67 TB`.
 * @param {number} part
 * @param {number} whole
 */
export function diskShare(part, whole) {
  return whole >= 1e12 ? (part / 1e12).toFixed(2) : (part / 1e9).toFixed(1);
}

/**
 * Memory in the unit that vLLM and nvidia-smi count in (2^30 bytes), so that numbers agree with logs.
 * @param {number} bytes
 */
export function memory(bytes) {
  return (bytes / 2 ** 30).toFixed(1);
}

/** @param {Date} date */
function hourMinute(date) {
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

/**
 * Clock time, 24 h: `09:12`.
 * @param {string|number} moment ISO 8601 or milliseconds
 */
export function clockTime(moment) {
  return hourMinute(new Date(moment));
}

/**
 * Clock time with seconds, for logs: `12:52:04`.
 * @param {string} moment
 */
export function logTime(moment) {
  const date = new Date(moment);
  return `${hourMinute(date)}:${String(date.getSeconds()).padStart(2, "0")}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * A moment near now: `today 09:12`, `yesterday 22:30`, `Mon 14:05`, `3 Nov 14:05`, `3 Nov 2025`.
 * @param {string} moment
 * @param {number} now milliseconds
 */
export function dayTime(moment, now) {
  const date = new Date(moment);
  const today = new Date(now);
  const midnight = (/** @type {Date} */ day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  const days = Math.round((midnight(today) - midnight(date)) / 86400000);
  if (days === 0) return `today ${hourMinute(date)}`;
  if (days === 1) return `yesterday ${hourMinute(date)}`;
  if (days > 1 && days < 7) return `${DAYS[date.getDay()]} ${hourMinute(date)}`;
  const dayMonth = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === today.getFullYear() ? `${dayMonth} ${hourMinute(date)}` : `${dayMonth} ${date.getFullYear()}`;
}

/**
 * A moment to come: `today 14:00`, `tomorrow 03:00`, `Mon 03:00`, `3 Dec 03:00`, `3 Jan 2027 03:00`.
 * @param {string} moment
 * @param {number} now milliseconds
 */
export function coming(moment, now) {
  const date = new Date(moment);
  const days = dayNumber(date) - dayNumber(new Date(now));
  if (days === 1) return `tomorrow ${hourMinute(date)}`;
  if (days > 1 && days < 7) return `${DAYS[date.getDay()]} ${hourMinute(date)}`;
  const said = dayTime(moment, now);
  return said.endsWith(hourMinute(date)) ? said : `${said} ${hourMinute(date)}`; // next year's runs have a time too
}

/** Days since 1970 on the calendar of the reader. @param {Date} date */
export function dayNumber(date) {
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86400000);
}

/** `Fri 27 Nov`. @param {Date} date */
export function dayName(date) {
  return `${DAYS[date.getDay()]} ${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

/**
 * How long ago, up to a day; then the date.
 * @param {string|number} moment
 * @param {number} now milliseconds
 */
export function ago(moment, now) {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5}${GAP}s ago`;
  if (seconds < 86400) return `${duration(Math.floor(seconds / 60) * 60)} ago`;
  return dayTime(new Date(moment).toISOString(), now);
}

/**
 * A context window as something to picture: 655 tokens are about a page.
 * @param {number} tokens
 */
export function pages(tokens) {
  const exact = tokens / 655;
  const step = exact < 20 ? 1 : 10;
  return grouped(Math.max(1, Math.round(exact / step) * step));
}

/**
 * The first letter in capitals, the rest as it is.
 * @param {string} text
 */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * A sentence of its own: a capital at the beginning, a full stop at the end.
 * @param {string} text
 */
export function asSentence(text) {
  const bare = capital(text.trim());
  return bare === "" || /[.!?…]$/.test(bare) ? bare : `${bare}.`;
}

/**
 * Names in a sentence: `Spark 1`, `Spark 1 and Spark 2`, `a, b and c`.
 * @param {string[]} names
 */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/** A moment as a field of the browser holds it: in local time, to the minute. @param {string} at */
export function localMinute(at) {
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
