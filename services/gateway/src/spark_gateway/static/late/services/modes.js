// @ts-check
// Whether a service is restarted by itself or only suggested: one list of the settings.

import { changeSettings, getSettings } from "../../api-owner.js";

const LIST = "RESTARTS_SUGGESTED";

/**
 * The list after one service was put on it or taken off; `all` on it stands for every one.
 * @param {unknown} value @param {string} name @param {boolean} act @param {string[]} every @returns {string[]}
 */
export function suggestedAfter(value, name, act, every) {
  const before = Array.isArray(value) ? value.map(String) : String(value ?? "").split(/[\s,]+/).filter(Boolean);
  if (!act) return before.includes("all") || before.includes(name) ? before : [...before, name];
  return (before.includes("all") ? every : before).filter((each) => each !== name && each !== "all");
}

/** @param {string} name @param {boolean} act @param {string[]} every @returns {Promise<{tone: "ok"|"warn", title: string, text: string}>} */
export async function switchMode(name, act, every) {
  const { version, settings } = await getSettings();
  const value = settings.find((each) => each.name === LIST)?.value;
  const none = settings.find((each) => each.name === "AUTO_RESTART")?.value === false;
  await changeSettings({ version, values: { [LIST]: suggestedAfter(value, name, act, every) }, secrets: {} });
  if (act && none) return { tone: "warn", title: "It is still only suggested", text: "“Restart what is stuck” is off in the settings: nothing at all is restarted by itself." };
  return { tone: "ok", title: act ? "It is restarted by itself when it is stuck" : "A restart is only suggested from now on", text: act ? "At most three times in half an hour." : "It says so on the tile, and you press it." };
}
