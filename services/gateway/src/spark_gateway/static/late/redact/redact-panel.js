// @ts-check
// Redaction to try: hide a text, see what and why, put an answer back; and what is kept, until when.
// What is pasted lives in the fields and in memory: it is gone when this part of the page is left.

import { cloned, part, show } from "../../dom.js";
import { useKey, whenKeyIsWanted } from "../data-plane.js";
import { Hiding } from "./hiding.js";
import { Returning } from "./returning.js";

/** @typedef {import("../../types.js").View} View */

export class RedactPanel extends HTMLElement {
  /** The session that texts of this page are hidden in. @type {string|null} */
  session = null;
  /** @type {Hiding|null} */
  #hiding = null;
  /** @type {Returning|null} */
  #returning = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-redact"));
    this.#hiding = new Hiding(this, this);
    this.#returning = new Returning(this);
    part(this, "clear").addEventListener("click", () => {
      this.clear();
      part(this, "text").focus();
    });
    whenKeyIsWanted(() => show(part(this, "door"), true));
    part(this, "key").addEventListener("change", () => useKey(part(this, "key").value));
    this.addEventListener("use-scope", (event) => {
      const { tenant, session_id } = /** @type {CustomEvent} */ (event).detail;
      this.#returning?.open({ session: session_id, tenant });
      this.#returning?.focus();
    });
    document.addEventListener("scope-forgotten", (event) => this.#forgotten(/** @type {CustomEvent} */ (event).detail));
    addEventListener("pagehide", () => this.clear()); // a page that waits behind "back" keeps its fields
  }

  /** @param {string} session */
  began(session) {
    this.session = session;
    this.#returning?.open({ session, tenant: null });
  }

  /** @param {import("./keeping.js").Scope} scope */
  #forgotten(scope) {
    if (this.session === scope.session_id) this.session = null;
    if (this.#returning?.holds(scope)) this.#returning.open(null);
    part(part(this, "scopes"), "title").focus(); // the button that was pressed is gone
  }

  clear() {
    this.session = null;
    this.#hiding?.clear();
    this.#returning?.clear();
  }

  /** @param {View} view */
  set view({ tab, state, now }) {
    const here = tab === "redact";
    if (!here && !this.hidden) this.clear();
    show(this, here);
    if (!here) return;
    const known = state.known.scopes;
    part(this, "scopes").shown = { known, now, isOpen: (/** @type {import("./keeping.js").Scope} */ scope) => this.#returning?.holds(scope) ?? false };
  }
}
