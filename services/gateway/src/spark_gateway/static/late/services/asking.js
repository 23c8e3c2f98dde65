// @ts-check
// What every act on services needs: a dialog of this part, and a request in the reader's name.

import { ask } from "../../api.js";
import { proof } from "../../holding.js";
import { signature } from "../../whoami.js";

/** docker gives a container time to end; a Spark may be slow. */
const PATIENCE_MS = 125_000;

/** A dialog of this part, made when it is wanted first. @param {string} tag @returns {any} */
export function dialog(tag) {
  return document.querySelector(tag) ?? document.body.appendChild(document.createElement(tag));
}

/** @param {string} path @param {any} [body] @param {string} [key] */
export function post(path, body = {}, key) {
  const headers = { ...(key ? { "idempotency-key": key } : {}), ...proof() };
  return ask(path, { method: "POST", body: { ...body, requested_by: signature() }, patience: PATIENCE_MS, headers });
}
