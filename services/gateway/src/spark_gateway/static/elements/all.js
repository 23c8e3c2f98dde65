// @ts-check
// The name of every element of the page. A new one is a file here and a line here.

import { ConfirmDialog } from "./confirm-dialog.js";
import { ConnectCard } from "./connect-card.js";
import { CopyField } from "./copy-field.js";
import { FailureCard } from "./failure-card.js";
import { FirstRun } from "./first-run.js";
import { HeroCard } from "./hero-card.js";
import { HeroNumbers } from "./hero-numbers.js";
import { LogView } from "./log-view.js";
import { ModelCard } from "./model-card.js";
import { ModelGrid } from "./model-grid.js";
import { OverallStatus } from "./overall-status.js";
import { PageNotices } from "./page-notices.js";
import { SparkCard } from "./spark-card.js";
import { SparkList } from "./spark-list.js";
import { SwapHistory } from "./swap-history.js";
import { SwapPanel } from "./swap-panel.js";
import { SwapStepper } from "./swap-stepper.js";
import { ToastList } from "./toast-list.js";

// Children before parents: a parent sets properties of its children as soon as it stands.
customElements.define("copy-field", CopyField);
customElements.define("log-view", LogView);
customElements.define("swap-stepper", SwapStepper);
customElements.define("hero-numbers", HeroNumbers);
customElements.define("model-card", ModelCard);
customElements.define("spark-card", SparkCard);
customElements.define("confirm-dialog", ConfirmDialog);
customElements.define("connect-card", ConnectCard);
customElements.define("failure-card", FailureCard);
customElements.define("first-run", FirstRun);
customElements.define("hero-card", HeroCard);
customElements.define("model-grid", ModelGrid);
customElements.define("overall-status", OverallStatus);
customElements.define("page-notices", PageNotices);
customElements.define("spark-list", SparkList);
customElements.define("swap-history", SwapHistory);
customElements.define("swap-panel", SwapPanel);
customElements.define("toast-list", ToastList);
