// @ts-check
// Up and down: strips, log, maintenance.

import { ConnectivityDialog } from "./connectivity-dialog.js";
import { MaintenanceDialog } from "./maintenance-dialog.js";
import { UptimeList } from "./uptime-list.js";

export { begin } from "./acts.js";

export const views = ["uptime-list"];

customElements.define("connectivity-dialog", ConnectivityDialog);
customElements.define("maintenance-dialog", MaintenanceDialog);
customElements.define("uptime-list", UptimeList);
