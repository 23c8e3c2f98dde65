// @ts-check
// Settings as the reader changes them: texts in fields, and what of it is sent.

import { linesOf, numberOf } from "./forms.js";

/** @typedef {import("./types-owner.js").SettingView} SettingView */
/** @typedef {import("./types-owner.js").SettingsView} SettingsView */
/** @typedef {import("./types-owner.js").Draft} Draft */
/** @typedef {import("./types-control.js").FieldProblem} FieldProblem */
/** @typedef {import("./types.js").Tone} Tone */

/** @type {Record<SettingView["source"], {tone: Tone, icon: string, word: string}>} */
const SOURCES = {
  owner: { tone: "now", icon: "check", word: "Yours" },
  environment: { tone: "line", icon: "folder", word: "Environment" },
  default: { tone: "line", icon: "idle", word: "Default" },
};

/** Where the value comes from. @param {SettingView} setting */
export const sourcePill = (setting) => SOURCES[setting.source];

/** What stands in the field. @param {any} value */
export function textOf(value) {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/**
 * What is meant by a text; blank takes the owner's value back.
 * @param {SettingView} setting @param {string} text
 * @returns {{value: any}|{problem: string}}
 */
export function valueOf(setting, text) {
  const bare = text.trim();
  if (bare === "") return { value: null };
  if (setting.kind === "integer") return /^-?\d+$/.test(bare) ? { value: Number(bare) } : { problem: "Write a whole number." };
  if (setting.kind === "number") {
    const value = numberOf(bare);
    return value === null ? { problem: "Write a number." } : { value };
  }
  return { value: setting.kind === "list" ? linesOf(text) : bare };
}

/** Whether a draft says nothing new: typed back to what it was. @param {SettingView} setting @param {Draft} draft */
export function isIdle(setting, draft) {
  if (draft.kind === "value") return draft.text === textOf(setting.value);
  if (draft.kind === "flag") return draft.on === Boolean(setting.value);
  if (draft.kind === "reset") return setting.source !== "owner";
  return draft.kind === "clear" ? !setting.is_set : false;
}

/**
 * What is sent, or what is wrong. Names that are not there any more are left out.
 * @param {SettingsView} view @param {Map<string, Draft>} drafts
 * @returns {{changes: import("./types-owner.js").Changes, problems: Map<string, FieldProblem[]>}}
 */
export function changesOf(view, drafts) {
  /** @type {import("./types-owner.js").Changes} */
  const changes = { version: view.version, values: {}, secrets: {} };
  /** @type {Map<string, FieldProblem[]>} */
  const problems = new Map();
  /** @param {string} field @param {string} message */
  const wrong = (field, message) => problems.set(field, [{ field, message, severity: "error", near: [] }]);
  for (const setting of view.settings) {
    const draft = drafts.get(setting.name);
    if (!draft || isIdle(setting, draft)) continue;
    if (draft.kind === "secret") {
      if (draft.text.trim() === "") wrong(setting.name, "Write the new value, or leave it as it is.");
      else changes.secrets[setting.name] = draft.text;
    } else if (draft.kind === "clear") changes.secrets[setting.name] = null;
    else if (draft.kind === "reset") changes.values[setting.name] = null;
    else if (draft.kind === "flag") changes.values[setting.name] = draft.on;
    else {
      const read = valueOf(setting, draft.text);
      if ("problem" in read) wrong(setting.name, read.problem);
      else changes.values[setting.name] = read.value;
    }
  }
  return { changes, problems };
}

/** How many settings wait to be saved. @param {SettingsView} view @param {Map<string, Draft>} drafts */
export function countChanges(view, drafts) {
  return view.settings.filter((setting) => {
    const draft = drafts.get(setting.name);
    return draft !== undefined && !isIdle(setting, draft);
  }).length;
}

/** Groups in the order in which they come. @param {SettingView[]} settings @returns {{name: string, settings: SettingView[]}[]} */
export function grouped(settings) {
  const names = [...new Set(settings.map((setting) => setting.group))];
  return names.map((name) => ({ name, settings: settings.filter((setting) => setting.group === name) }));
}

const PARTS = /** @type {Record<string, string>} */ ({
  settings: "Setting", secrets: "Secret", recipes: "Recipes", schedules: "Schedule", webhooks: "Message target",
  custom_services: "Own service", api_keys: "API key", maintenance: "Maintenance",
});
const MOST_ROWS = 40;

/** What an import would change, as rows of a question. @param {import("./types-owner.js").StateChange[]} changes */
export function changeRows(changes) {
  const rows = changes.slice(0, MOST_ROWS).map(({ part, name, how, before, after }) => ({
    label: `${PARTS[part] ?? part} ${name}`,
    value: after === null ? how : `${before ?? "not set"} → ${after}`,
    note: after === null ? "" : how,
  }));
  const left = changes.length - rows.length;
  return left > 0 ? [...rows, { label: `and ${left} more`, value: "", note: "" }] : rows;
}

/** What an import did, as lines. @param {import("./types-owner.js").Imported} done */
export function importedWords(done) {
  const kinds = /** @type {[number, string, string][]} */ ([
    [done.settings, "setting", "settings"], [done.secrets, "secret", "secrets"],
    [done.schedules, "schedule", "schedules"], [done.webhooks, "message target", "message targets"],
  ]);
  const told = kinds.filter(([count]) => count > 0).map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
  if (done.overrides) told.push("your changes of recipes");
  return told.length > 0 ? told : ["nothing"];
}
