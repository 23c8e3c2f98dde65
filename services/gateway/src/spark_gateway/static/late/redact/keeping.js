// @ts-check
// What redaction keeps, for whom and until when: asked for while it is shown, and forgotten on demand.

import { ask } from "../../api.js";
import { count } from "../../format.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../reduce-owner.js").Name} Name */
/** @typedef {{tenant: string, session_id: string, profile: string, created_at: string, expires_at: string, tasks: number, counts: Record<string, number>}} Scope */

const EVERY_MS = 15_000;

/** @param {Scope} scope @returns {import("../../elements/confirm-dialog.js").Question} */
export function forgetQuestion({ session_id, counts }) {
  const values = Object.values(counts).reduce((sum, each) => sum + each, 0);
  return {
    title: `Forget ${session_id}?`,
    effects: [
      { kind: "stop", icon: "trash", what: values === 1 ? "Its value is destroyed." : `Its ${count(values)} values are destroyed.`, how: "Nobody can bring them back, not from a copy of the file either." },
      { kind: "stop", icon: "x", what: "Its placeholders stay closed.", how: "Answers that still hold them are not filled in any more." },
      { kind: "keep", icon: "ok", what: "Other sessions stay.", how: "" },
    ],
    safe: "Keep it", go: "Forget it", tone: "danger-fill",
  };
}

/** @param {Acting} page @param {{again: (...names: Name[]) => Promise<unknown>}} tools */
export function begin(page, { again }) {
  return {
    wishes: {
      "scopes-changed": () => again("scopes"),
      "forget-scope": async (/** @type {Scope} */ scope) => {
        const { yes } = await page.dialog.ask(forgetQuestion(scope));
        if (!yes) return;
        const path = [scope.tenant, scope.session_id].map(encodeURIComponent).join("/");
        const rest = await page.attempt(() => ask(`api/redaction/scopes/${path}`, { method: "DELETE" }));
        await again("scopes");
        if (!rest) return;
        page.toasts.add("ok", "Forgotten", `${scope.session_id} opens no more.`);
        document.dispatchEvent(new CustomEvent("scope-forgotten", { detail: scope }));
      },
    },
    asks: [{ name: /** @type {Name} */ ("scopes"), ask: () => ask("api/redaction/scopes"), every: EVERY_MS }],
  };
}
