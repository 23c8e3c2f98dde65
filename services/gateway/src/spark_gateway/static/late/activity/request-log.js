// @ts-check
// The request log in words, and what is asked of it. Pure.

import { count, duration } from "../../format.js";

/** @typedef {import("../../types-owner.js").RequestRow} RequestRow */
/** @typedef {{q?: string, status?: string, from?: string, to?: string, before?: number}} Which */

export const PAGE = 50;

/** @param {Which} which @returns {string} */
export function logQuery(which) {
  const given = Object.entries(which).filter(([, value]) => value !== undefined && value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/** Address of a file with everything that fits. @param {"csv"|"json"} format @param {Which} which */
export function exportAddress(format, { before: _, ...which }) {
  return `api/requests/export?${logQuery({ ...{ format }, ...which })}`;
}

/** What a field of the browser holds, in local time, as a moment; none while it is empty. @param {string} typed */
export function momentOf(typed) {
  return typed ? new Date(typed).toISOString() : undefined;
}

/** @param {RequestRow} row @returns {import("./messages.js").Pill} */
export function outcomePill({ status, end }) {
  if (status === null || status === undefined) return { tone: "warn", icon: "warn", word: "Left" };
  if (status >= 400) return { tone: "bad", icon: "bad", word: String(status) };
  return end === "complete" ? { tone: "ok", icon: "ok", word: String(status) } : { tone: "warn", icon: "warn", word: "Cut short" };
}

/** Who asked: the key's name, else the user, else the address. @param {RequestRow} row */
export function whoAsked({ key, user, address }) {
  return key || user || address || "unknown";
}

/** How long it took and what it cost. @param {RequestRow} row */
export function rowNumbers(row) {
  const took = row.total_ms < 1000 ? `${Math.round(row.total_ms)}\u00a0ms` : duration(row.total_ms / 1000);
  const waited = row.queue_ms >= 1000 ? `waited ${duration(row.queue_ms / 1000)}` : "";
  const tokens = typeof row.prompt_tokens === "number" || typeof row.completion_tokens === "number"
    ? `${count(row.prompt_tokens ?? 0)} + ${count(row.completion_tokens ?? 0)} tokens${row.tokens_estimated ? ", estimated" : ""}` : "";
  return [took, waited, tokens].filter(Boolean).join(", ");
}
