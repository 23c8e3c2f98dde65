// @ts-check
// The API keys: what each opens, what it may, when it was used.

import { cloned, keyed, part, say, setPill, show, wish } from "../../dom.js";
import { keyLimits, keyOpens, keyPill, keyUse } from "./keys.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-owner.js").KeyView} KeyView */

export class KeyList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-keys"));
    part(this, "add").addEventListener("click", () => wish(this, "open-key"));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const keys = /** @type {KeyView[]|null} */ (state.known.keys?.value?.keys ?? null);
    const live = state.link === "live";
    show(this, keys !== null);
    part(this, "add").disabled = !live;
    show(part(this, "none"), keys?.length === 0);
    keyed(part(this, "list"), keys ?? [], (key) => key.id, (key) => {
      const item = /** @type {HTMLElement} */ (cloned("t-key-row").firstElementChild);
      part(item, "change").addEventListener("click", () => wish(this, "edit-key", { id: key.id }));
      part(item, "switch").addEventListener("click", () => wish(this, "switch-key", { id: key.id }));
      part(item, "remove").addEventListener("click", () => wish(this, "revoke-key", { id: key.id }));
      return item;
    }, (item, key) => {
      say(part(item, "name"), key.name);
      setPill(part(item, "pill"), keyPill(key, now));
      say(part(item, "opens"), keyOpens(key));
      say(part(item, "limits"), keyLimits(key, now));
      say(part(item, "use"), keyUse(key));
      say(part(item, "switch"), key.enabled ? "Switch off" : "Switch on");
      part(item, "switch").setAttribute("aria-label", `Switch ${key.name} ${key.enabled ? "off" : "on"}`);
      part(item, "change").setAttribute("aria-label", `Change ${key.name}…`);
      part(item, "remove").setAttribute("aria-label", `Revoke ${key.name}…`);
      for (const name of ["change", "switch", "remove"]) part(item, name).disabled = !live;
    });
  }
}
