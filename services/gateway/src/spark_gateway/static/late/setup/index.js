// @ts-check
// The first steps: our key on each Spark, and a connection that was tested.

import { ask } from "../../api.js";
import { SetupGuide } from "./setup-guide.js";

export const views = ["setup-guide"];

/** @param {import("../../acts/acting.js").Acting} page */
export function begin(page) {
  const guide = () => /** @type {SetupGuide} */ (document.querySelector("setup-guide"));
  return {
    wishes: {
      "read-access": async () => {
        const access = await page.attempt(() => ask("api/access"), (why) => guide().failed(why.message));
        if (access) guide().know(access);
      },
      "test-access": async (/** @type {{name: string}} */ { name }) => {
        const path = `api/access/${encodeURIComponent(name)}/test`;
        const test = await page.attempt(() => ask(path, { method: "POST", body: {}, patience: 40_000 }), (why) => guide().tested(name, null, why.message));
        if (test) guide().tested(name, test, "");
      },
      "open-guide": () => guide().open(),
    },
    asks: [],
  };
}

customElements.define("setup-guide", SetupGuide);
