// @ts-check
// Updates of the model launcher: only there when something is pending, runs or went wrong.

import { cloned, keyed, part, say, sayOrHide, setBadge, setButton, setPill, show, wish } from "../dom.js";
import { explainedWords } from "../explaining.js";
import { count } from "../format.js";
import { servingName } from "../menu.js";
import { updateLook, whyNotExplained } from "../updating.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../updating.js").UpdateLook} UpdateLook */

export class UpdateBanner extends HTMLElement {
  /** The explanation, once it was asked for. @type {import("../explaining.js").Explanation|null} */
  said = null;
  /** Who writes it. */
  author = "";
  job = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-updates"));
    const tells = { explain: "explain-updates", apply: "apply-updates", revert: "revert-updates" };
    for (const [name, type] of Object.entries(tells)) part(this, name).addEventListener("click", () => wish(this, type));
    part(this, "cancel").addEventListener("click", () => wish(this, "cancel-update", { id: this.job }));
    part(this, "dismiss").addEventListener("click", () => wish(this, "dismiss-failure", { id: this.job }));
  }

  /** @param {View} view */
  set view({ state, now }) {
    const look = updateLook(state.updates, state.dismissed, now);
    show(this, look !== null);
    if (!look) return;
    const job = state.updates?.job;
    this.job = job?.id ?? "";
    const live = state.link === "live";
    /** @type {HTMLElement} */ (this.firstElementChild).className = look.tone === "bad" ? "notice bad" : "notice";
    setBadge(part(this, "badge"), look.tone, look.icon);
    say(part(this, "title"), look.title);
    sayOrHide(part(this, "text"), look.text);
    this.#actions(look, live, state);
    const running = look.kind === "running";
    show(part(this, "bar"), running);
    if (look.percent !== null) part(this, "bar").value = Math.floor(look.percent);
    else part(this, "bar").removeAttribute("value");
    sayOrHide(part(this, "quote"), look.evidence.join("\n"));
    show(part(this, "log-box"), running || look.kind === "failed");
    part(this, "log").marks = look.evidence;
    part(this, "log").log = state.jobLog?.id === this.job ? state.jobLog : null;
    this.#commits(running ? [] : look.commits);
    const more = [...part(this, "more").children].some((child) => !(/** @type {HTMLElement} */ (child).hidden));
    show(part(this, "more"), more);
  }

  /** @param {UpdateLook} look @param {boolean} live @param {import("../types.js").State} state */
  #actions(look, live, state) {
    const explains = look.kind !== "running" && look.commits.length > 0;
    if (!explains && this.said?.done) this.said = null; // it was about changes that do not wait any more
    show(part(this, "explanation"), explains && this.said !== null);
    const writing = this.said !== null && !this.said.done;
    const mute = explains ? whyNotExplained(state) : "";
    show(part(this, "explain"), explains);
    part(this, "explain").disabled = mute !== "" || writing;
    sayOrHide(part(this, "apply"), look.apply);
    part(this, "apply").className = look.kind === "failed" ? "btn" : "btn quiet";
    part(this, "apply").disabled = !live || look.why !== "";
    show(part(this, "revert"), look.revert);
    part(this, "revert").disabled = !live;
    show(part(this, "cancel"), look.kind === "running");
    part(this, "cancel").disabled = !live;
    setButton(part(this, "cancel"), state.updates?.job?.direction === "revert" ? "Cancel going back…" : "Cancel update…", "x");
    show(part(this, "dismiss"), look.kind === "failed" || look.kind === "done");
    sayOrHide(part(this, "why"), [look.apply ? look.why : "", mute].filter(Boolean).join(" "));
  }

  /** @param {UpdateLook["commits"]} commits */
  #commits(commits) {
    show(part(this, "commits"), commits.length > 0);
    say(part(this, "commits-word"), commits.length === 1 ? "The update" : `The ${count(commits.length)} updates`);
    keyed(part(this, "commit-list"), commits, (commit) => commit.sha, () => {
      const item = document.createElement("li");
      item.append(document.createElement("code"), " ", document.createElement("span"));
      return item;
    }, (item, commit) => {
      say(item.firstElementChild, commit.sha.slice(0, 7));
      say(item.lastElementChild, commit.subject);
    });
  }

  /** The explanation as it grows. @param {import("../explaining.js").Explanation} so @param {import("../types.js").Menu|null} menu */
  explain(so, menu) {
    if (!this.said || this.said.done) this.author = servingName(menu) ?? "the loaded model";
    this.said = so;
    show(part(this, "explanation"), true);
    show(part(this, "more"), true);
    const word = so.done ? `Written by ${this.author}, on your Spark` : `${this.author} is writing`;
    setPill(part(this, "author"), so.done && so.text === "" ? null : { tone: "line", icon: so.done ? "star" : "busy", word });
    show(part(this, "thinking"), so.reasoning !== "");
    say(part(this, "reasoning"), so.reasoning.trim());
    say(part(this, "words"), explainedWords(so));
    say(part(this, "explained"), so.done ? "The explanation is there." : "");
  }
}
