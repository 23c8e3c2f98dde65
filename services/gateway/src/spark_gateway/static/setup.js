// @ts-check
// From a suggestion to a form and from a form to a recipe; where each value comes from, in words.

import { capital } from "./format.js";
import { linesOf } from "./forms.js";
import { splitFlag, tokens } from "./knobs.js";

/** @typedef {import("./types-control.js").Suggestion} Suggestion */
/** @typedef {import("./types-control.js").Suggested} Suggested */
/** @typedef {import("./types-control.js").RecipeForm} RecipeForm */
/** @typedef {import("./types-control.js").FieldProblem} FieldProblem */
/** @typedef {{name: string, mode: string, context_length: string, tool_parser: string, reasoning_parser: string, served_name: string, image: string, args: string, env: string}} SetupValues */

const CONTEXT = "--max-model-len";
const TOOLS = "--tool-call-parser";
const TOOL_CHOICE = "--enable-auto-tool-choice";
const REASONING = "--reasoning-parser";

/** @type {Record<Suggested["certainty"], {tone: "ok"|"idle"|"warn", icon: string, word: string}>} */
const CERTAINTIES = {
  read: { tone: "ok", icon: "ok", word: "Read" },
  derived: { tone: "idle", icon: "info", word: "Follows" },
  guessed: { tone: "warn", icon: "warn", word: "Guessed" },
};

/** A sentence, but no capital for the name of a file or a flag. @param {string} text */
function sentence(text) {
  return (/^[a-z]+\b(?![._])/.test(text) ? capital(text) : text).replace(/[.\s]*$/, ".");
}

/** Where a value comes from and how sure it is. @param {Suggested} suggested */
export function sourceOf({ source, certainty, note }) {
  const said = [source, note].filter(Boolean).map((each) => sentence(String(each)));
  const check = certainty === "guessed" ? ["Please check."] : [];
  return { pill: CERTAINTIES[certainty] ?? CERTAINTIES.guessed, text: [...said, ...check].join(" ") };
}

/** What the form shows at first. @param {Suggestion} suggestion @returns {SetupValues & {quantization: string}} */
export function valuesOf(suggestion) {
  const own = new Set([CONTEXT, TOOLS, TOOL_CHOICE, REASONING]);
  const further = suggestion.args.map((each) => String(each.value)).filter((element) => !own.has(splitFlag(element).flag));
  return {
    name: suggestion.name,
    mode: suggestion.mode.value,
    context_length: suggestion.context_length.value === null ? "" : String(suggestion.context_length.value),
    quantization: suggestion.quantization.value ?? "as it is",
    tool_parser: suggestion.tool_parser.value ?? "",
    reasoning_parser: suggestion.reasoning_parser.value ?? "",
    served_name: suggestion.served_name.value,
    image: suggestion.image.value ?? "",
    args: further.join("\n"),
    env: suggestion.env.map((each) => String(each.value)).join("\n"),
  };
}

/** The suggestions that stand beside a field of their own. @param {Suggestion} suggestion @returns {Record<string, Suggested>} */
export function besideFields(suggestion) {
  const { mode, context_length, quantization, tool_parser, reasoning_parser, served_name, image } = suggestion;
  return { mode, context_length, quantization, tool_parser, reasoning_parser, served_name, image };
}

/**
 * The recipe that the form says, or what is wrong with the form.
 * @param {Suggestion} suggestion @param {SetupValues} values @param {number} hosts  How many Sparks there are.
 * @returns {{form: RecipeForm, problems: FieldProblem[]}}
 */
export function recipeOf(suggestion, values, hosts) {
  /** @type {FieldProblem[]} */
  const problems = [];
  const wrong = (/** @type {string} */ field, /** @type {string} */ message) => problems.push({ field, message, severity: "error", near: [] });
  const context = tokens(values.context_length);
  if (context === undefined) wrong("context_length", "Write a number of tokens, such as 131072.");
  if (values.name.trim() === "") wrong("name", "Give it a name.");
  const env = linesOf(values.env).map((line) => [line, line.indexOf("=")]);
  for (const [line, at] of env) if (Number(at) < 1) wrong("env", `“${line}” is not NAME=VALUE.`);
  const cluster = values.mode === "cluster";
  const suggested = suggestion.mode.value === values.mode ? suggestion.tensor_parallel.value : null;
  const [tool, reasoning] = [values.tool_parser.trim(), values.reasoning_parser.trim()];
  return {
    problems,
    form: {
      key: suggestion.key,
      repo: suggestion.repo,
      name: values.name.trim() || suggestion.name,
      mode: cluster ? "cluster" : "solo",
      served_name: values.served_name.trim() || null,
      image: values.image.trim() || null,
      tensor_parallel: suggested ?? (cluster ? Math.max(2, hosts) : 1),
      env: Object.fromEntries(env.filter(([, at]) => Number(at) > 0).map(([line, at]) => [String(line).slice(0, Number(at)), String(line).slice(Number(at) + 1)])),
      args: [
        ...(context ? [`${CONTEXT}=${context}`] : []),
        ...linesOf(values.args),
        ...(tool ? [TOOL_CHOICE, `${TOOLS}=${tool}`] : []),
        ...(reasoning ? [`${REASONING}=${reasoning}`] : []),
      ],
      capabilities: abilities(suggestion.capabilities.value, tool !== "", reasoning !== ""),
      context_length: context ?? null,
      size_bytes: suggestion.size_bytes > 0 ? suggestion.size_bytes : null,
    },
  };
}

/** @param {string[]} known @param {boolean} tools @param {boolean} reasoning */
function abilities(known, tools, reasoning) {
  const rest = known.filter((word) => word !== "tools" && word !== "reasoning");
  return [...rest, ...(tools ? ["tools"] : []), ...(reasoning ? ["reasoning"] : [])];
}

/**
 * The recipe of a model that lies in a directory.
 * @param {{local_path: string, name: string, mode: string, context_length: string, served_name: string, chat_template: string}} values
 * @param {number} hosts
 * @returns {{form: RecipeForm|null, problems: FieldProblem[]}}  no form while the directory is not written
 */
export function localRecipe(values, hosts) {
  const path = values.local_path.trim();
  const context = tokens(values.context_length);
  /** @type {FieldProblem[]} */
  const problems = context === undefined ? [{ field: "context_length", message: "Write a number of tokens, such as 131072.", severity: "error", near: [] }] : [];
  if (path !== "" && !path.startsWith("/")) problems.push({ field: "local_path", message: "Write the full path; it begins with a slash.", severity: "error", near: [] });
  if (path === "" || problems.length > 0) return { form: null, problems };
  const last = path.split("/").filter(Boolean).at(-1) ?? "model";
  const template = values.chat_template.trim();
  const cluster = values.mode === "cluster";
  return {
    problems,
    form: {
      local_path: path,
      name: values.name.trim() || last,
      mode: cluster ? "cluster" : "solo",
      served_name: values.served_name.trim() || null,
      tensor_parallel: cluster ? Math.max(2, hosts) : 1,
      args: [...(context ? [`${CONTEXT}=${context}`] : []), ...(template ? [`--chat-template=${template}`] : [])],
      context_length: context ?? null,
    },
  };
}
