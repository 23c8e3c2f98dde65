// @ts-check
// The four numbers of the loaded model; what is not known is not shown.

import { cloned, part, say, show } from "../dom.js";
import { count, dayTime, diskSize, duration, pages } from "../format.js";

/** @typedef {import("../types.js").RuntimeView} RuntimeView */
/** @typedef {import("../types.js").ModelView} ModelView */

export class HeroNumbers extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-numbers"));
  }

  /** @param {{runtime: RuntimeView, model: ModelView|null, serves: boolean, now: number}} facts */
  set facts({ runtime, model, serves, now }) {
    const context = runtime.context_length ?? model?.context_length;
    show(this, serves && Boolean(context || runtime.since || model));
    show(part(this, "context"), Boolean(context));
    if (context) {
      say(part(this, "context-value"), count(context));
      say(part(this, "context-note"), `about ${pages(context)} pages of text`);
    }
    show(part(this, "up"), Boolean(runtime.since));
    if (runtime.since) {
      const minutes = Math.floor((now - Date.parse(runtime.since)) / 60000);
      say(part(this, "up-value"), minutes < 1 ? "under 1\u00a0min" : duration(minutes * 60));
      say(part(this, "up-note"), `since ${dayTime(runtime.since, now)}`);
    }
    show(part(this, "load"), typeof model?.load_seconds === "number");
    say(part(this, "load-value"), duration(model?.load_seconds ?? 0));
    say(part(this, "load-note"), "middle of earlier loads");
    show(part(this, "size"), typeof model?.size_bytes === "number");
    say(part(this, "size-value"), diskSize(model?.size_bytes));
    say(part(this, "size-note"), model?.mode === "cluster" ? "on each Spark" : "");
  }
}
