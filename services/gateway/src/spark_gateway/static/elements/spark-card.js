// @ts-check
// A Spark: is it there, how full are memory and disk, and how old is that knowledge.

import { cloned, part, say, sayOrHide, setBar, setPill, show } from "../dom.js";
import { ago, count, diskShare, diskSize, memory } from "../format.js";
import { isStale, loadedModel } from "../menu.js";

/** @typedef {import("../types.js").HostView} HostView */
/** @typedef {import("../types.js").View} View */

/** @param {HostView} host @param {boolean} current @param {boolean} stale */
function pillOf(host, current, stale) {
  if (!current) return /** @type {const} */ ({ tone: "idle", icon: "clock", word: "Not up to date" });
  if (host.state === "unreachable") return /** @type {const} */ ({ tone: "bad", icon: "bad", word: "Cannot be reached" });
  if (host.state === "unknown") return /** @type {const} */ ({ tone: "idle", icon: "busy", word: "Looking" });
  if (stale) return /** @type {const} */ ({ tone: "warn", icon: "clock", word: "Not seen lately" });
  return /** @type {const} */ ({ tone: "ok", icon: "ok", word: "Online" });
}

export class SparkCard extends HTMLElement {
  /** What the part about hardware makes of a card, once it is there. @type {((card: SparkCard, host: HostView, view: View) => void)|null} */
  static dress = null;

  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-spark"));
  }

  /** @param {{host: HostView, view: View}} spark */
  set spark({ host, view }) {
    const { state, now } = view;
    const current = state.link === "live";
    const stale = isStale(host, now);
    const away = host.state === "unreachable";
    const article = /** @type {HTMLElement} */ (this.firstElementChild);
    const heading = part(this, "label");
    heading.id = `spark-${host.name}`;
    article.setAttribute("aria-labelledby", heading.id);
    article.toggleAttribute("data-old", away || stale || !current);
    say(heading, host.label);
    setPill(part(this, "pill"), pillOf(host, current, stale));
    const looked = host.seen_at ? `${away || stale ? "last seen" : "looked at"} ${ago(host.seen_at, now)}` : "not seen yet";
    say(part(this, "seen"), looked);
    const detail = host.detail ?? (away ? "It does not answer over SSH." : null);
    sayOrHide(part(this, "detail"), away ? `${detail} spark-control keeps trying and brings the card back by itself.` : detail);
    this.#memory(host, away);
    this.#disk(host, away);
    const ready = state.menu?.models.filter((model) => model.copies.some((copy) => copy.host === host.name && copy.state === "ready"));
    say(part(this, "models-count"), count(ready?.length ?? 0));
    const loaded = loadedModel(state.menu);
    const runs = loaded && !away && loaded.mode === "cluster" ? `${loaded.name}, its share` : null;
    show(part(this, "runs"), runs !== null);
    say(part(this, "runs-name"), runs ?? "");
    SparkCard.dress?.(this, host, view);
  }

  /** @param {HostView} host @param {boolean} away */
  #memory(host, away) {
    const total = host.memory_total_bytes;
    const free = host.memory_available_bytes;
    const known = typeof total === "number" && typeof free === "number" && !away;
    show(part(this, "memory"), known);
    if (!known) return;
    const used = total - free;
    say(part(this, "memory-used"), memory(used));
    say(part(this, "memory-total"), memory(total));
    say(part(this, "memory-free"), `${memory(free)}\u00a0GB free${free / total < 0.06 ? ", tight" : ""}`);
    setBar(part(this, "memory-bar"), total / 2 ** 30, used / 2 ** 30, `Memory: ${memory(used)} of ${memory(total)} gigabytes used, ${memory(free)} free`);
  }

  /** @param {HostView} host @param {boolean} away */
  #disk(host, away) {
    const total = host.disk_total_bytes;
    const free = host.disk_free_bytes;
    const known = typeof total === "number" && typeof free === "number" && !away;
    show(part(this, "disk"), known);
    if (!known) return;
    say(part(this, "disk-used"), diskShare(total - free, total));
    say(part(this, "disk-total"), diskSize(total));
    say(part(this, "disk-free"), `${diskSize(free)} free`);
    setBar(part(this, "disk-bar"), total / 1e9, (total - free) / 1e9, `Disk: ${diskSize(total - free)} of ${diskSize(total)} used, ${diskSize(free)} free`);
  }
}
