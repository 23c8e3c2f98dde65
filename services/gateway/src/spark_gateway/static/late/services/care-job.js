// @ts-check
// A job on a service: its steps, how far it is, what it writes, and how it ended.

import { cloned, keyed, part, say, sayOrHide, setBadge, setIcon, show, wish } from "../../dom.js";
import { ago, asSentence, diskSize, duration } from "../../format.js";
import { careSteps } from "./care.js";

/** @typedef {import("../../types.js").View} View */

const ICONS = { done: "check", now: "busy", todo: "", fail: "x" };
const WORDS = { done: ", done", now: ", now", todo: ", to do", fail: ", failed" };
/** How long one that is over stays in sight: what worked for an hour, the rest for a day. */
const GOOD_MS = 3600_000;
const BAD_MS = 24 * GOOD_MS;

export class CareJob extends HTMLElement {
  /** @type {{kind: string, id: string}|null} */
  now = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-care-job"));
    part(this, "cancel").addEventListener("click", () => wish(this, "cancel-care", this.now));
    part(this, "read").addEventListener("click", () => wish(this, "open-care-log", this.now));
  }

  /** @param {{kind: "bridge"|"nim"|"speech", title: string, job: any, view: View}|null} said */
  set job(said) {
    const over = said && said.job.state !== "running";
    const old = said && over && said.view.now - Date.parse(said.job.finished_at ?? said.job.created_at) > (said.job.state === "complete" ? GOOD_MS : BAD_MS);
    show(this, said !== null && !old);
    if (!said || old) return;
    const { kind, title, job, view } = said;
    this.now = { kind, id: job.id };
    const tone = job.state === "running" ? "now" : job.state === "complete" ? "ok" : job.state === "cancelled" ? "idle" : "bad";
    setBadge(part(this, "badge"), tone, { now: "busy", ok: "check", idle: "idle", bad: "x" }[tone]);
    /** @type {HTMLElement} */ (this.firstElementChild).className = tone === "bad" ? "notice bad" : "notice";
    say(part(this, "title"), title);
    const bytes = job.step === "pulling" && job.state === "running" && job.total_bytes ? ` ${diskSize(job.done_bytes)} of ${diskSize(job.total_bytes)}.` : "";
    const eta = job.state === "running" && job.eta_seconds ? ` About ${duration(job.eta_seconds)} left.` : "";
    const end = over ? ` ${asSentence(`Asked for by ${job.requested_by}, ${job.finished_at ? `ended ${ago(job.finished_at, view.now)}` : "ended"}`)}` : "";
    say(part(this, "text"), `${asSentence(job.cause?.sentence || job.message || "It begins")}${bytes}${eta}${end}`);
    sayOrHide(part(this, "press"), job.cause?.action ? asSentence(job.cause.action) : null);
    const evidence = job.cause?.evidence ?? [];
    show(part(this, "evidence"), evidence.length > 0);
    say(part(this, "evidence"), evidence.join("\n"));
    show(part(this, "cancel"), job.state === "running");
    part(this, "cancel").disabled = view.state.link !== "live";
    const bar = part(this, "bar");
    show(bar, job.state === "running");
    if (typeof job.percent === "number") bar.value = job.percent;
    else bar.removeAttribute("value");
    keyed(part(this, "steps"), careSteps(kind, job), (step) => step.label, () => /** @type {HTMLElement} */ (cloned("t-step").firstElementChild), (item, step) => {
      item.className = step.state === "todo" ? "" : step.state;
      if (step.state === "now") item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      const svg = item.querySelector("svg");
      svg.toggleAttribute("hidden", step.state === "todo");
      if (ICONS[step.state]) setIcon(svg, ICONS[step.state]);
      say(part(item, "label"), step.label);
      say(part(item, "state"), WORDS[step.state]);
      say(part(item, "time"), step.time);
    });
    show(part(this, "log-box"), job.log !== null);
    part(this, "log").log = job.log;
  }
}
