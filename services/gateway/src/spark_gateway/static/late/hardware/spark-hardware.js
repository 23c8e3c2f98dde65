// @ts-check
// The numbers of a Spark: memory with who takes it, what its GPU does, and what to try while it is away.

import { cloned, keyed, part, say, sayOrHide, setIcon, show, wish } from "../../dom.js";
import { memory } from "../../format.js";
import { looking } from "./acts.js";
import { gaugesOf, sparkline } from "./charts.js";
import { ageWords, factsOf, memoryHead, memoryParts, memoryWords, remarks, wakeWords } from "./looks.js";

/** @typedef {import("../../types.js").View} View */
/** @typedef {import("../../types-health.js").Hardware} Hardware */

const SVG = "http://www.w3.org/2000/svg";
/** @type {Partial<Record<import("../../types.js").Tone, string>>} */
const WOKEN_ICONS = { ok: "ok", bad: "bad", now: "busy" };

export class SparkHardware extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-spark-hardware"));
    part(this, "wake").addEventListener("click", () => wish(this, "wake-spark", { name: this.dataset.name, label: this.dataset.label }));
  }

  /** @param {{heard: ReturnType<import("./looks.js").heardOf>, host: import("../../types.js").HostView, view: View}} said */
  set heard({ heard, host, view }) {
    const { hardware } = heard;
    const { state, now } = view;
    this.dataset.name = host.name;
    this.dataset.label = host.label;
    sayOrHide(part(this, "age"), ageWords(heard, now));
    this.#away(hardware, host, view);
    for (const name of ["use", "gauges", "facts"]) show(part(this, name), hardware !== null);
    show(part(this, "programs"), (hardware?.gpu?.processes.length ?? 0) > 0);
    show(part(this, "remarks"), hardware !== null && !heard.stale);
    if (!hardware) return;
    this.#memory(hardware);
    const history = state.known.charts?.value?.find((/** @type {any} */ each) => each.host === host.name && each.span === looking.span) ?? null;
    this.#gauges(hardware, history, now);
    keyed(part(this, "facts"), factsOf(hardware), ([term]) => term, () => /** @type {HTMLElement} */ (cloned("t-fact").firstElementChild), (row, [term, words]) => {
      say(part(row, "term"), term);
      say(part(row, "words"), words);
    });
    keyed(part(this, "remarks"), remarks(hardware), (line) => line, () => document.createElement("li"), say);
    keyed(part(this, "programs-rows"), hardware.gpu?.processes ?? [], (each) => String(each.pid), () => document.createElement("li"), (row, each) => {
      say(row, `${each.container ?? each.name}: ${each.bytes === null ? "memory not said" : `${memory(each.bytes)}\u00a0GB`}`);
    });
  }

  /** What to press and to try while it does not answer. @param {Hardware|null} hardware @param {import("../../types.js").HostView} host @param {View} view */
  #away(hardware, host, { state, now }) {
    const away = hardware !== null && ["dead", "hung", "refused"].includes(hardware.answering);
    const troubled = hardware !== null && hardware.answering !== "well" && hardware.answering !== "unknown";
    sayOrHide(part(this, "reason"), troubled ? hardware.reason : null);
    show(part(this, "away"), away);
    say(part(this, "wake-word"), `Wake ${host.label}`);
    part(this, "wake").disabled = state.link !== "live" || !hardware?.wake_address || hardware.wake?.state === "waiting";
    const mac = hardware?.wake_address;
    say(part(this, "wake-why"), !mac ? "Its network address was never seen, so it cannot be woken from here." : mac.wired ? "Not every machine wakes this way." : "Only its Wi-Fi was ever seen; hardly anything wakes over that.");
    for (const name of ["wake", "wake-why"]) show(part(this, name), hardware?.answering === "dead");
    show(part(this, "mac"), mac != null && hardware?.answering === "dead");
    if (mac) part(this, "mac").value = mac.mac;
    keyed(part(this, "steps"), hardware?.steps ?? [], (step) => step, () => document.createElement("li"), (item, step) => {
      if (item.childElementCount === 0) item.append(document.createElement("span"));
      say(item.firstElementChild, step);
    });
    const words = hardware ? wakeWords(hardware, now) : null;
    const line = part(this, "woken");
    show(line, words !== null);
    if (!words) return;
    line.className = `result ${words.tone}`;
    setIcon(line.firstElementChild, WOKEN_ICONS[words.tone] ?? "info");
    say(line.lastElementChild, words.text);
  }

  /** @param {Hardware} hardware */
  #memory(hardware) {
    const head = memoryHead(hardware);
    const split = memoryParts(hardware);
    show(part(this, "use"), head !== null);
    if (!head || !split) return;
    say(part(this, "use-used"), head.used);
    say(part(this, "use-total"), head.total);
    say(part(this, "use-free"), head.free);
    const bar = part(this, "use-bar");
    bar.setAttribute("viewBox", `0 0 ${split.total.toFixed(1)} 1`);
    const words = memoryWords(split);
    bar.setAttribute("aria-label", `Memory in gigabytes: ${words.map((each) => each.text).join("; ")}`);
    while (bar.childElementCount > split.parts.length) bar.lastElementChild.remove();
    let from = 0;
    split.parts.forEach(({ use, size }, index) => {
      const rect = bar.children[index] ?? bar.appendChild(document.createElementNS(SVG, "rect"));
      for (const [name, value] of Object.entries({ x: from.toFixed(2), width: size.toFixed(2), height: "1", class: use })) rect.setAttribute(name, value);
      from += size;
    });
    keyed(part(this, "legend"), words, (each) => each.name, () => {
      const item = document.createElement("li");
      item.append(document.createElement("i"), document.createElement("span"));
      return item;
    }, (item, each) => {
      item.className = each.use;
      say(item.lastElementChild, each.text);
    });
  }

  /** @param {Hardware} hardware @param {any} history @param {number} now */
  #gauges(hardware, history, now) {
    keyed(part(this, "gauges"), gaugesOf(hardware), (gauge) => gauge.term, () => /** @type {HTMLElement} */ (cloned("t-gauge").firstElementChild), (box, gauge) => {
      say(part(box, "term"), gauge.term);
      say(part(box, "value"), gauge.value);
      say(part(box, "unit"), gauge.value === "not said" ? "" : gauge.unit);
      const { line, area, label } = sparkline(history, gauge, now);
      const chart = part(box, "chart");
      chart.setAttribute("class", gauge.hot ? "sparkline hot" : "sparkline");
      chart.setAttribute("aria-label", label);
      chart.querySelector(".l").setAttribute("d", line);
      chart.querySelector(".a").setAttribute("d", area);
    });
  }
}
