// @ts-check
// What is kept, for whom and until when; never what is in it.

import { cloned, keyed, part, say, sayOrHide, show, wish } from "../../dom.js";
import { ago, coming, duration } from "../../format.js";
import { countWords } from "./words.js";

/** @typedef {import("./keeping.js").Scope} Scope */

/** The tenant of whoever names none. */
const UNNAMED = "default";

export class ScopeList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-scopes"));
  }

  /** @param {{known: {value?: {scopes: Scope[]}, problem?: string}|undefined, now: number, isOpen: (scope: Scope) => boolean}} shown  `isOpen`: whether answers are put back with it. */
  set shown({ known, now, isOpen }) {
    const scopes = (known?.value?.scopes ?? []).filter((scope) => Date.parse(scope.expires_at) > now);
    sayOrHide(part(this, "problem"), known?.problem);
    sayOrHide(part(this, "none"), known === undefined ? "Asking what is kept." : known.value && scopes.length === 0 ? "Nothing is kept." : "");
    show(part(this, "table"), scopes.length > 0);
    keyed(part(this, "rows"), scopes, (scope) => `${scope.tenant} ${scope.session_id}`, (scope) => this.#row(scope), (row, scope) => {
      row.scope = scope;
      const open = isOpen(scope);
      say(part(row, "session"), scope.session_id);
      sayOrHide(part(row, "tenant"), scope.tenant === UNNAMED ? "" : `of ${scope.tenant}`);
      show(part(row, "open"), open);
      say(part(row, "counts"), countWords(scope.counts));
      say(part(row, "made"), ago(scope.created_at, now));
      say(part(row, "expires"), coming(scope.expires_at, now));
      say(part(row, "left"), `(in ${duration(Math.max(60, Math.floor((Date.parse(scope.expires_at) - now) / 60000) * 60))})`);
      show(part(row, "use"), !open);
    });
  }

  /** @param {Scope} scope */
  #row(scope) {
    const row = /** @type {any} */ (cloned("t-scope").firstElementChild);
    part(row, "use").setAttribute("aria-label", `Put an answer back with ${scope.session_id} of ${scope.tenant}`);
    part(row, "forget").setAttribute("aria-label", `Forget ${scope.session_id} of ${scope.tenant}…`);
    part(row, "use").addEventListener("click", () => wish(this, "use-scope", row.scope));
    part(row, "forget").addEventListener("click", () => wish(this, "forget-scope", row.scope));
    return row;
  }
}
