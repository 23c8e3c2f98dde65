// @ts-check
// What can be installed, in words, and the order that a form makes.

import { linesOf } from "../../forms.js";
import { listed } from "../../format.js";
import { hostLabel } from "../../menu.js";

/** @type {Record<string, string>} */
const KINDS = { llm: "Chat", speech_to_text: "Speech to text", text_to_speech: "Text to speech", embeddings: "Embeddings", rerank: "Ranking", other: "Other" };

/** @param {string} kind */
export function kindWord(kind) {
  return KINDS[kind] ?? kind;
}

/** @param {any} entry @param {import("../../types.js").State} state */
export function entryHelp(entry, state) {
  const where = (entry.installed_on ?? []).map((/** @type {string} */ name) => hostLabel(name, state.menu?.hosts ?? []));
  const size = entry.download_gb ? `It downloads about ${entry.download_gb}\u00a0GB beside its image.` : "";
  const there = where.length > 0 ? `Installed on ${listed(where)}.` : "";
  return [entry.about, size, there, entry.own ? "From your own catalogue." : ""].filter(Boolean).join(" ");
}

/**
 * The order of a form, or what is not right in it. What is empty is left to the catalogue.
 * @param {{entry: string, ngc: string, name: string, image: string, port: string, host: string, env: string}} form @param {boolean} keySet
 * @returns {{order: any, problems: Map<string, any[]>}}
 */
export function orderOf(form, keySet) {
  /** @type {Map<string, any[]>} */
  const problems = new Map();
  const wrong = (/** @type {string} */ field, /** @type {string} */ message) => problems.set(field, [{ field, message, severity: "error", near: [] }]);
  /** @type {any} */
  const order = { host: form.host };
  if (form.entry) order.entry = form.entry;
  else {
    if (!/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(form.name)) wrong("name", "needs small letters, digits and dashes");
    if (!/^nvcr\.io\//.test(form.image)) wrong("image", "must begin with nvcr.io/");
    Object.assign(order, { name: form.name, image: form.image });
    const lines = linesOf(form.env);
    const bad = lines.find((line) => !/^[A-Z][A-Z0-9_]*=/.test(line));
    if (bad) wrong("env", `needs NAME=VALUE, not “${bad}”`);
    else if (lines.length > 0) order.env = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  }
  if (form.port) {
    const port = Number(form.port);
    if (!Number.isInteger(port) || port < 1 || port > 65535) wrong("port", "must be a number from 1 to 65535");
    else order.port = port;
  }
  if (form.ngc) order.ngc_api_key = form.ngc;
  else if (!keySet) wrong("ngc_api_key", "is needed: none is saved in the settings");
  return { order, problems };
}
