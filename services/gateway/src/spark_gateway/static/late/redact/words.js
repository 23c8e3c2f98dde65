// @ts-check
// What a type of placeholder is, why such a thing is hidden, and what came of it, in words.

import { count, listed } from "../../format.js";

/** @typedef {import("./asking.js").Placeholder} Placeholder */

/** Name and reason of each type. @type {Record<string, [string, string]>} */
const KINDS = {
  PERSON: ["Person", "A name from a list of names, or one that a model recognised."],
  ORG: ["Company", "A name from a list of names, or one that a model recognised."],
  PLACE: ["Place", "A place from a list of names, or one that a model recognised."],
  EMAIL: ["E-mail address", "It reads as an address for mail, written or spoken."],
  PHONE: ["Phone number", "Its digits make a phone number, written or spoken."],
  CARD: ["Payment card", "A card number: length, issuer and check digit fit, or the words beside it say so."],
  SSN: ["Social security number", "It has the form of a social security number."],
  IBAN: ["Bank account (IBAN)", "An international account number."],
  ACCOUNT: ["Account number", "The words beside it say that it is an account."],
  IDENT: ["Identity number", "A number by which a state or a company knows somebody."],
  BIRTH: ["Date of birth", "The words beside it say that somebody was born then."],
  ADDRESS: ["Postal address", "A street with its number, or a post code."],
  IPADDR: ["IP address", "The address of a device on a network."],
  MACADDR: ["Hardware address", "The address of a network card."],
  LINK: ["Link", "An address of a page that holds something personal: hidden whole."],
  HANDLE: ["User name", "The name of an account somewhere."],
  CRYPTO: ["Wallet", "The address of a wallet of a crypto currency."],
  SECRET: ["Key or password", "It opens something: a key, token or password."],
  DATE: ["Date", "The strict profile hides every date."],
  MONEY: ["Amount", "The strict profile hides every amount."],
  NUMBER: ["Number", "The strict profile hides every long number."],
  OTHER: ["Other", "From a list, with a type of its own."],
  LITERAL: ["Looks like a placeholder", "It stood in the text already; hidden so that nothing is put there later."],
};

/** @param {string} type @returns {{word: string, why: string}} */
export function kindWords(type) {
  const [word, why] = KINDS[type] ?? [type, "A type that this page does not know yet."];
  return { word, why };
}

/** @param {number} number @param {string} one @param {string} [more] */
const of = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

/**
 * Placeholders with what they stand for, by type, the most frequent type first.
 * @param {Placeholder[]} placeholders @param {string[]} values  In the same order.
 */
export function byKind(placeholders, values) {
  /** @type {Map<string, {type: string, word: string, why: string, times: number, rows: {token: string, value: string, times: string}[]}>} */
  const kinds = new Map();
  placeholders.forEach(({ token, type, occurrences }, index) => {
    const kind = kinds.get(type) ?? { type, ...kindWords(type), times: 0, rows: [] };
    kind.times += occurrences;
    const value = values[index];
    // Erased for good: nothing stands behind it any more.
    kind.rows.push({ token, value: value === undefined || value === token ? "forgotten, it stays closed" : value, times: occurrences > 1 ? of(occurrences, "time") : "" });
    kinds.set(type, kind);
  });
  return [...kinds.values()].sort((one, two) => two.times - one.times);
}

/** A text in pieces: placeholders that are ours apart from the rest. @param {string} text @param {Set<string>} tokens @returns {{text: string, token: boolean}[]} */
export function pieces(text, tokens) {
  return text.split(/(\[\[[^[\]\n]{1,80}\]\])/).filter((each) => each !== "").map((each) => ({ text: each, token: tokens.has(each) }));
}

/** @param {Placeholder[]} placeholders @returns {string} */
export function foundWords(placeholders) {
  if (placeholders.length === 0) return "Nothing was found that would have to be hidden.";
  const kinds = new Set(placeholders.map(({ type }) => type)).size;
  return `${of(placeholders.length, "value")} of ${of(kinds, "type")} hidden.`;
}

/** What was and was not looked for. @param {{entities: number, ner: string}} coverage @returns {string} */
export function coverageWords({ entities, ner }) {
  const listedOnes = entities === 0 ? "no list of names was given" : `${of(entities, "name")} of your list`;
  if (ner === "off" || ner === "unavailable") return `Looked for: what has a form, ${listedOnes}. Other names were not looked for, and pass through.`;
  const seen = ner === "partial" ? "in a part of the text only: the rest was not read" : "which may miss some";
  return `Looked for: what has a form, ${listedOnes}, and names that a model recognises, ${seen}.`;
}

/** What came of putting values back. @param {import("./asking.js").Back} back @returns {string} */
export function wordsBack({ restored, unresolved, blocked }) {
  const times = Object.values(restored).reduce((sum, each) => sum + each, 0);
  const words = [times === 0 ? "No value was put back." : `${of(times, "place")} filled in.`];
  if (unresolved.length > 0) words.push(`Not of this session, left as written: ${some(unresolved)}.`);
  if (blocked.length > 0) words.push(`Left closed inside the address of a page: ${some(blocked)}.`);
  return words.join(" ");
}

/** @param {string[]} tokens */
function some(tokens) {
  const unique = [...new Set(tokens)];
  return listed(unique.length > 5 ? [...unique.slice(0, 5), `${unique.length - 5} more`] : unique);
}

/** What a scope holds, without contents. @param {Record<string, number>} counts @returns {string} */
export function countWords(counts) {
  const all = Object.entries(counts).sort(([, one], [, two]) => two - one).map(([type, number]) => `${kindWords(type).word}\u00a0${count(number)}`);
  return all.join(" · ") || "Nothing";
}

/** Names as they were typed: one in a line. @param {string} text @returns {string[]} */
export function namesOf(text) {
  return [...new Set(text.split("\n").map((line) => line.trim()).filter((line) => line !== ""))];
}
