// @ts-check
// What forms have in common: problems beside the field they belong to, and how a test ended.

import { say, show } from "./dom.js";
import { capital } from "./format.js";

/** @typedef {import("./types-control.js").FieldProblem} FieldProblem */
/** @typedef {import("./types-control.js").Validation} Validation */

/** Words with which the swapper goes on after the name of a field. */
const PREDICATE = /^(is|has|are|was|needs|cannot|takes|must|may|would|does|should|contains|holds|names|stands)\b/;

/** What is wrong, as a sentence of its own. @param {FieldProblem} problem */
export function problemText({ field, message }) {
  const subject = field.startsWith("--") ? field : "This";
  const whole = PREDICATE.test(message) ? `${subject} ${message}` : /^[a-z]+\b/.test(message) ? capital(message) : message;
  return whole.replace(/[.\s]*$/, whole.trimEnd().endsWith("?") ? "" : ".");
}

/**
 * Problems of flags that have a field of their own in a form; other flags stand in a field of arguments.
 * @param {FieldProblem[]} problems @param {Record<string, string>} names by flag @param {string} [other]
 * @returns {FieldProblem[]}
 */
export function renamed(problems, names, other) {
  return problems.map((problem) => {
    const field = names[problem.field] ?? (problem.field.startsWith("--") ? other : undefined);
    return field === undefined ? problem : { ...problem, field, message: problemText(problem) };
  });
}

/** Names of the fields of a form. @param {HTMLElement} form @returns {string[]} */
export function fieldNames(form) {
  return boxes(form).flatMap((box) => (box.dataset.field ?? "").split(" "));
}

/** @param {HTMLElement} form @returns {HTMLElement[]} */
function boxes(form) {
  return [...form.querySelectorAll("[data-field]")].filter((box) => box instanceof HTMLElement);
}

/** @param {HTMLElement} form @param {Map<string, FieldProblem[]>} problems */
export function setProblems(form, problems) {
  for (const box of boxes(form)) {
    const mine = (box.dataset.field ?? "").split(" ").flatMap((name) => problems.get(name) ?? []);
    const line = /** @type {HTMLElement} */ (box.querySelector("[data-problem]"));
    const bad = mine.some((problem) => problem.severity === "error");
    say(line, mine.map(problemText).join(" "));
    show(line, mine.length > 0);
    line.className = bad ? "help bad" : "help warn";
    for (const control of box.querySelectorAll("input, select, textarea")) {
      if (bad) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
      if (mine.length > 0) control.setAttribute("aria-errormessage", (line.id ||= `problem-${control.id}`));
      else control.removeAttribute("aria-errormessage");
    }
  }
}

/**
 * How a pre-flight test ended, as one line.
 * @param {Validation} validation
 * @returns {{tone: "ok"|"bad"|"warn", text: string}}
 */
export function testWords(validation) {
  const first = validation.checks.find((check) => check.verdict === validation.verdict)?.sentence;
  if (validation.verdict === "good") return { tone: "ok", text: validation.note || "Test passed. A real load can still fail." };
  const why = validation.cause?.sentence ?? validation.error ?? first ?? "The reason was not said.";
  const press = validation.cause?.action ? ` ${validation.cause.action}` : "";
  if (validation.verdict === "bad") return { tone: "bad", text: `Test failed: ${why}${press}` };
  return { tone: "warn", text: `Not everything could be tested: ${why}${press}` };
}

/** A number as people type it, with a point or a comma; null for anything else, `0x10` too. @param {string} text @returns {number|null} */
export function numberOf(text) {
  const bare = text.trim().replace(",", ".");
  const value = /^[-+.\de]+$/i.test(bare) ? Number(bare) : NaN;
  return Number.isFinite(value) ? value : null;
}

/** Lines of a text field, without empty ones. @param {string} text @returns {string[]} */
export function linesOf(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}
