// @ts-check
// What happened around the Sparks: who was told, who used them, who asked, who may.

import { access } from "./access.js";
import { AccountTable } from "./account-table.js";
import { ActivityPanel } from "./activity-panel.js";
import { getAccounts, listDeliveries, listKeys, listLetters, listRequests, listTargets } from "./asking.js";
import { DeliveryList } from "./delivery-list.js";
import { KeyDialog } from "./key-dialog.js";
import { KeyList } from "./key-list.js";
import { LetterList } from "./letter-list.js";
import { RequestTable } from "./request-table.js";
import { TargetDialog } from "./target-dialog.js";
import { TargetList } from "./target-list.js";
import { telling } from "./telling.js";

export const views = ["activity-panel"];

/**
 * @param {import("../../acts/acting.js").Acting} page
 * @param {{knowing: import("../../acts/knowing.js").Knowing}} tools
 * @returns {{wishes: import("../../acts/acting.js").Wishes, asks: []}}
 */
export function begin(page, { knowing }) {
  knowing.show("activity", () => ({
    targets: listTargets,
    deliveries: () => listDeliveries(knowing.which),
    accounts: () => getAccounts(knowing.days),
    letters: listLetters,
    keys: listKeys,
    requests: () => listRequests(knowing.log),
  }));
  return { wishes: { ...telling(page, knowing), ...access(page, knowing) }, asks: [] };
}

// Children before parents.
customElements.define("target-list", TargetList);
customElements.define("delivery-list", DeliveryList);
customElements.define("account-table", AccountTable);
customElements.define("letter-list", LetterList);
customElements.define("request-table", RequestTable);
customElements.define("key-list", KeyList);
customElements.define("activity-panel", ActivityPanel);
customElements.define("key-dialog", KeyDialog);
customElements.define("target-dialog", TargetDialog);
