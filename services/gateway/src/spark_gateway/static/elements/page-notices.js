// @ts-check
// What stands above everything: no connection, a newer server, a silent bus or part.
// No live region: the sentence in the top bar already says it, and ages change all the time.

import { captureNotice } from "../capturing.js";
import { cloned, keyed, part, say, sayOrHide, setBadge, wish } from "../dom.js";
import { ago, capital, listed } from "../format.js";
import { phaseWord } from "../phases.js";
import { silentParts, silentTitle } from "../verdict.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {{key: string, tone: import("../types.js").Tone, icon: string, title: string, text: string, action?: [string, string]}} Notice */

/** @param {View} view @returns {Notice[]} */
function noticesOf({ state, now, tab }) {
  /** @type {Notice[]} */
  const found = [];
  if (state.link === "lost") {
    const last = state.heardAt > 0 ? ` What you see is from ${ago(state.heardAt, now)}.` : "";
    found.push({
      key: "lost",
      tone: "bad",
      icon: "busy",
      title: "spark-control does not answer",
      text: `Trying again.${last} A swap that was running goes on without this page.`,
      action: ["Try now", "try-now"],
    });
    return found;
  }
  if (state.outdated) {
    found.push({
      key: "outdated",
      tone: "now",
      icon: "info",
      title: "spark-control was updated",
      text: "Load this page again to get the new version. Nothing that runs is touched.",
      action: ["Load again", "reload-page"],
    });
  }
  const captured = captureNotice(state, now);
  if (captured) found.push({ key: "capture", tone: "warn", icon: "warn", ...captured, action: ["Stop and delete", "end-capture"] });
  const current = state.swaps?.current;
  if (current && tab !== "home") {
    found.push({ key: "swap", tone: "now", icon: "busy", title: `Switching to ${current.model_name}`, text: `${phaseWord(current.phase)}.`, action: ["Show it", "show-home"] });
  }
  if (!state.bus.connected) {
    const detail = state.bus.detail ? ` ${capital(state.bus.detail)}` : "";
    found.push({
      key: "bus",
      tone: "bad",
      icon: "bad",
      title: "Event bus is down, swaps are paused",
      text: `Chat with the loaded model keeps working. It comes back by itself; nothing is lost.${detail}`,
    });
  } else if (state.link === "live" && !state.menu) {
    found.push({
      key: "swapper",
      tone: "bad",
      icon: "bad",
      title: "The part that starts models does not answer",
      text: "Chat with the loaded model keeps working. Models and Sparks appear here as soon as it is back.",
    });
  }
  const silent = silentParts(state).filter((each) => state.menu || each.name !== "swapper");
  if (state.bus.connected && silent.length > 0) {
    found.push({
      key: "parts",
      tone: "warn",
      icon: "warn",
      title: `${silentTitle(silent.length)}: ${listed(silent.map((each) => each.word))}`,
      text: "Everything else works. We keep asking, and it is started again by itself.",
    });
  }
  return found;
}

export class PageNotices extends HTMLElement {
  /** @param {View} view */
  set view(view) {
    keyed(this, noticesOf(view), (notice) => notice.key, (notice) => {
      const box = /** @type {HTMLElement} */ (cloned("t-notice").firstElementChild);
      part(box, "action").addEventListener("click", () => notice.action && wish(this, notice.action[1]));
      return box;
    }, (box, notice) => {
      box.className = notice.tone === "now" ? "notice" : `notice ${notice.tone}`;
      setBadge(part(box, "badge"), notice.tone, notice.icon);
      say(part(box, "title"), notice.title);
      say(part(box, "text"), notice.text);
      sayOrHide(part(box, "action"), notice.action?.[0]);
    });
  }
}
