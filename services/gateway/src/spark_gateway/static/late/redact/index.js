// @ts-check
// Redaction, to try it, and what is kept of it: the elements of that part of the page.

import { RedactPanel } from "./redact-panel.js";
import { ScopeList } from "./scope-list.js";

export { begin } from "./keeping.js";

export const views = ["redact-panel"];

customElements.define("scope-list", ScopeList);
customElements.define("redact-panel", RedactPanel);
