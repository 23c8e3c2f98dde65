// @ts-check
// The Sparks as machines: what comes into their cards after the first picture.

import { SparkCard } from "../../elements/spark-card.js";
import { AdviceList } from "./advice-list.js";
import { ChartRange } from "./chart-range.js";
import { dress } from "./dress.js";
import { RunbookDialog } from "./runbook-dialog.js";
import { SparkHardware } from "./spark-hardware.js";

export { begin } from "./acts.js";

export const views = ["advice-list", "chart-range"];

customElements.define("runbook-dialog", RunbookDialog);
customElements.define("spark-hardware", SparkHardware);
customElements.define("advice-list", AdviceList);
customElements.define("chart-range", ChartRange);
SparkCard.dress = dress;
