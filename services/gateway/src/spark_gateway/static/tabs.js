// @ts-check
// Which part of the page is open: each has its own address, so that back and a bookmark work.

/** @typedef {"home"|"services"|"activity"|"schedule"|"speech"|"redact"|"playground"} Tab */

/** `short` is the beginning of the label that a phone shows. @type {{name: Tab, label: string, icon: string, short?: string}[]} */
export const TABS = [
  { name: "home", label: "Home", icon: "home" },
  { name: "services", label: "Services", icon: "nodes" },
  { name: "activity", label: "Activity", icon: "pulse" },
  { name: "schedule", label: "Schedule", icon: "cal" },
  { name: "speech", label: "Speech", icon: "mic" },
  { name: "redact", label: "Redact", icon: "shield" },
  { name: "playground", label: "Playground", icon: "chat", short: "Play" },
];

/** What is on a tab without being one. @type {Record<string, Tab>} */
const PLACES = { "": "home", "#models": "home", "#setup": "home" };

/**
 * Where an address leads; what is on every part, such as the skip link, leads nowhere else.
 * @param {string} hash of the address, with its `#` @param {Tab} before @returns {Tab}
 */
export function tabOf(hash, before) {
  return TABS.find((tab) => `#${tab.name}` === hash)?.name ?? PLACES[hash] ?? before;
}
