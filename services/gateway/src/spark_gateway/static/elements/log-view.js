// @ts-check
// Log lines, appended as they come. It follows only while the reader is at the end.

import { logTime } from "../format.js";

/** @typedef {import("../types.js").SwapLog} SwapLog */

const AT_END_PX = 12;

export class LogView extends HTMLElement {
  /** @type {HTMLPreElement|null} */
  pre = null;
  shown = "";
  from = 0;
  to = 0;
  /** @type {string[]} */
  marked = [];

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const pre = document.createElement("pre");
    pre.className = "log";
    pre.tabIndex = 0;
    pre.setAttribute("role", this.dataset.role ?? "log");
    pre.setAttribute("aria-live", "off");
    pre.setAttribute("aria-label", this.dataset.label ?? "Log");
    this.append(pre);
    this.pre = pre;
  }

  /** Lines to point out, as the cause of a failure quotes them. @param {string[]} lines */
  set marks(lines) {
    this.marked = lines.map((line) => line.trim()).filter(Boolean);
  }

  /** @param {SwapLog|null} log */
  set log(log) {
    const pre = this.pre;
    if (!pre) return;
    const id = log?.id ?? "";
    if (id !== this.shown || (log && log.dropped + log.entries.length < this.to)) {
      pre.replaceChildren();
      this.shown = id;
      this.from = log?.dropped ?? 0;
      this.to = this.from;
    }
    if (!log || log.dropped + log.entries.length === this.to) return;
    const follow = pre.scrollHeight - pre.scrollTop - pre.clientHeight < AT_END_PX;
    const fresh = log.entries.slice(Math.max(0, this.to - log.dropped));
    pre.append(...fresh.map((entry) => this.#line(entry)));
    this.to = log.dropped + log.entries.length;
    for (; this.from < log.dropped && pre.firstChild; this.from += 1) pre.firstChild.remove();
    this.from = log.dropped;
    if (follow) pre.scrollTop = pre.scrollHeight;
  }

  /** @param {import("../types.js").LogEntry} entry */
  #line(entry) {
    const text = entry.at ? `${logTime(entry.at)} ${entry.text}\n` : `${entry.text}\n`;
    if (!this.marked.some((line) => entry.text.includes(line))) return document.createTextNode(text);
    const mark = document.createElement("mark");
    mark.textContent = text;
    return mark;
  }
}
