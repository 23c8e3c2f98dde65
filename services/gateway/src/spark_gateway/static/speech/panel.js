// @ts-check
// Speech, to try it: loaded when somebody opens it, since most who look at the page never do.

import { say, sayOrHide, setPill, show } from "../dom.js";
import { standing, useKey, whenKeyIsWanted } from "./asking.js";
import { hearingCard } from "./hearing.js";
import { queueWords, stateLook } from "./looks.js";
import { made } from "./made.js";
import { sayingCard } from "./saying.js";

const LOOK_MS = 3000;

/** Fill the place once; it looks after itself while it is shown. @param {HTMLElement} place */
export function open(place) {
  if (place.childElementCount > 0) return;
  document.head.append(made("link", { rel: "stylesheet", href: new URL("speech.css", import.meta.url).href }));
  const pill = made("span");
  const queue = made("p", { class: "small soft", "aria-live": "off" });
  const trouble = made("p", { class: "help bad" });
  const key = made("input", { class: "input", id: "speech-key", type: "password", autocomplete: "off", onchange: () => {
    useKey(key.value);
    barred = false;
  } });
  const door = made("div", { class: "field", hidden: true }, made("label", { for: "speech-key", text: "API key" }), key, made("p", { class: "help", text: "Keys are asked for here: speech takes one that may infer. It is kept until you leave this page." }));
  let barred = false;
  whenKeyIsWanted(() => {
    barred = true;
    show(door, true);
  });
  place.append(
    made("div", { class: "section-head" }, made("h1", { class: "tab-title", text: "Speech" }), pill),
    queue,
    trouble,
    door,
    made("div", { class: "two" }, hearingCard(), sayingCard()),
  );
  show(trouble, false);
  setPill(pill, stateLook(null));

  async function look() {
    if (!place.hidden && !barred) {
      try {
        const status = await standing();
        setPill(pill, stateLook(status));
        say(queue, queueWords(status));
        sayOrHide(trouble, null);
      } catch (error) {
        setPill(pill, stateLook(null));
        sayOrHide(trouble, /** @type {Error} */ (error).message);
      }
    }
    setTimeout(look, LOOK_MS);
  }
  look();
}
