// @ts-check
// Which part of the page is open: each has its own address, so that back and a bookmark work.

/** @typedef {"home"|"activity"|"schedule"} Tab */

/** @type {{name: Tab, label: string, icon: string}[]} */
export const TABS = [
  { name: "home", label: "Home", icon: "home" },
  { name: "activity", label: "Activity", icon: "pulse" },
  { name: "schedule", label: "Schedule", icon: "cal" },
];

/** @param {string} hash of the address, with its `#` @returns {Tab} */
export function tabOf(hash) {
  return TABS.find((tab) => `#${tab.name}` === hash)?.name ?? "home";
}
