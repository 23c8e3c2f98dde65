// @ts-check
// Speech and services: the elements of that part of the page, children before parents.

import { CareJob } from "./care-job.js";
import { NimDialog } from "./nim-dialog.js";
import { ServiceForm } from "./service-form.js";
import { ServiceLog } from "./service-log.js";
import { ServiceTile } from "./service-tile.js";
import { ServicesPanel } from "./services-panel.js";
import { SpeechFiles } from "./speech-files.js";

export { begin } from "./acts.js";

export const views = ["services-panel"];

customElements.define("care-job", CareJob);
customElements.define("service-tile", ServiceTile);
customElements.define("speech-files", SpeechFiles);
customElements.define("nim-dialog", NimDialog);
customElements.define("service-form", ServiceForm);
customElements.define("service-log", ServiceLog);
customElements.define("services-panel", ServicesPanel);
