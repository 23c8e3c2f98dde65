// @ts-check
// The knobs of a recipe and its further flags: what was changed, and what the changes mean in numbers.

import { count, memory, pages } from "./format.js";

/** @typedef {import("./types-control.js").Knobs} Knobs */
/** @typedef {import("./types-control.js").RecipeDetail} RecipeDetail */
/** @typedef {import("./types-control.js").Preview} Preview */
/** @typedef {import("./types-control.js").FieldProblem} FieldProblem */

/** What vLLM takes of the memory when nobody says. */
const USUAL_SHARE = 0.9;
/** @type {(keyof Knobs)[]} */
const KNOBS = ["max_model_len", "gpu_memory_utilization", "fast_load", "prefix_caching", "fp8_kv_cache"];

export const SWITCHES = /** @type {const} */ (["fast_load", "prefix_caching", "fp8_kv_cache"]);

/** The knobs after one was turned. @param {Knobs} knobs @param {string} name @param {string} value @param {boolean} checked @returns {Knobs} */
export function turned(knobs, name, value, checked) {
  if (SWITCHES.some((each) => each === name)) return { ...knobs, [name]: checked };
  if (name === "gpu_memory_utilization") return { ...knobs, gpu_memory_utilization: Number(value) / 100 };
  if (name === "max_model_len") return { ...knobs, max_model_len: tokens(value) ?? null };
  return knobs;
}

/** `--flag=value` as two words. @param {string} element @returns {{flag: string, value: string}} */
export function splitFlag(element) {
  const at = element.indexOf("=");
  return at < 0 ? { flag: element, value: "" } : { flag: element.slice(0, at), value: element.slice(at + 1) };
}

/** @param {{flag: string, value: string}} row @returns {string} nothing when nothing was written */
export function joinFlag({ flag, value }) {
  const name = flag.trim();
  if (name === "") return value.trim();
  return value.trim() === "" ? name : `${name}=${value.trim()}`;
}

/**
 * A number of tokens as people write it: `131 072`, `131072`, `128k`.
 * @param {string} text
 * @returns {number|null|undefined} null for nothing written, undefined for no number
 */
export function tokens(text) {
  const plain = text.replace(/[\s\u202f\u00a0_',.]/g, "").toLowerCase();
  if (plain === "") return null;
  const match = /^(\d{1,8})(k?)$/.exec(plain);
  return match && Number(match[1]) > 0 ? Number(match[1]) * (match[2] ? 1024 : 1) : undefined;
}

/** How many knobs and flags differ from what is saved. @param {RecipeDetail} saved @param {{knobs: Knobs, flags: string[]}} value */
export function changes(saved, { knobs, flags }) {
  const turned = KNOBS.filter((name) => (knobs[name] ?? null) !== (saved.knobs[name] ?? null)).length;
  const added = flags.filter((flag) => !saved.flags.includes(flag)).length;
  const removed = saved.flags.filter((flag) => !flags.includes(flag)).length;
  return turned + Math.max(added, removed);
}

/** Percent of the memory that the slider shows. @param {Knobs} knobs @param {Preview|null} preview */
export function sharePercent(knobs, preview) {
  return Math.round((knobs.gpu_memory_utilization ?? preview?.memory?.utilization ?? USUAL_SHARE) * 100);
}

/**
 * The live numbers beside the slider, in the unit of every memory number of the page; between two
 * answers of the server they are worked out here.
 * @param {Preview|null} preview
 * @param {number} percent  What the slider shows.
 */
export function memoryWords(preview, percent) {
  const help = preview?.memory;
  if (!help) return "";
  const said = Math.abs(help.utilization * 100 - percent) < 1;
  const allocated = said ? help.allocated_bytes : (help.total_bytes * percent) / 100;
  const left = help.left_bytes + help.allocated_bytes - allocated;
  const free = left < 0 ? `${memory(-left)}\u00a0GB more than there is` : `about ${memory(left)}\u00a0GB for everything else`;
  return `about ${memory(allocated)}\u00a0GB for the model, ${free}${help.measured ? "" : " on a usual Spark"}.`;
}

/** What else the server says about the memory: the first sentence is the line above, the context has its own. @param {Preview|null} preview */
export function moreMemoryWords(preview) {
  return (preview?.memory?.sentences ?? []).slice(1).filter((sentence) => !sentence.includes("pages of text")).join(" ");
}

/** The live numbers below the context. @param {number|null} context @param {Preview|null} preview */
export function contextWords(context, preview) {
  const said = preview?.memory?.pages;
  const text = typeof said === "number" ? count(said) : context ? pages(context) : "";
  return text ? `About ${text} pages of text in one conversation.` : "";
}

/**
 * Problems by where they belong: fields by name, flags by flag, the rest for the foot of the form.
 * @param {FieldProblem[]} problems
 * @param {readonly string[]} fields  Names of the fields that are shown.
 * @param {readonly string[]} flags  Elements of the list of flags.
 */
export function sorted(problems, fields, flags) {
  const names = flags.map((flag) => splitFlag(flag).flag);
  /** @type {{fields: Map<string, FieldProblem[]>, flags: Map<string, FieldProblem[]>, rest: FieldProblem[]}} */
  const found = { fields: new Map(), flags: new Map(), rest: [] };
  for (const problem of problems) {
    const field = fields.find((name) => problem.field === name || problem.field.startsWith(`${name}.`) || problem.field.startsWith(`${name}[`));
    const place = names.includes(splitFlag(problem.field).flag) ? found.flags : found.fields;
    const key = place === found.flags ? splitFlag(problem.field).flag : field;
    if (key === undefined) found.rest.push(problem);
    else place.set(key, [...(place.get(key) ?? []), problem]);
  }
  return found;
}

/** Whether it may be saved. @param {FieldProblem[]} problems */
export function isWell(problems) {
  return problems.every((problem) => problem.severity !== "error");
}
