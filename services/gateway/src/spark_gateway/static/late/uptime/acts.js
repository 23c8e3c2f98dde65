// @ts-check
// What a reader wants of the log of what was up: look further back, announce maintenance, take the log along.

import { ask } from "../../api.js";
import { signature } from "../../whoami.js";
import { HOURS } from "./strips.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */

/** How far back is looked; of this page. @type {{reach: import("./strips.js").Reach}} */
export const looking = { reach: "day" };

/** @param {string} tag @returns {any} */
const dialog = (tag) => document.querySelector(tag) ?? document.body.appendChild(document.createElement(tag));

/** @param {Acting} page @param {{again: (...names: any[]) => Promise<unknown>}} tools */
export function begin(page, { again }) {
  const log = () => page.state.known.connectivity?.value;
  return {
    wishes: {
      "show-uptime": (/** @type {{reach: import("./strips.js").Reach}} */ { reach }) => {
        looking.reach = reach;
        page.store.dispatchEvent(new Event("change"));
        return again("connectivity");
      },
      "open-connectivity": () => log() && dialog("connectivity-dialog").begin(log()),
      "open-maintenance": () => log() && dialog("maintenance-dialog").begin(log().uptime),
      "begin-maintenance": async (/** @type {{window: any}} */ { window }) => {
        const form = dialog("maintenance-dialog");
        const here = form.meanwhile();
        form.busy = true;
        const begun = await page.attempt(
          () => ask("api/maintenance", { method: "POST", body: { ...window, requested_by: signature() } }),
          (why) => here(() => form.notSaved(why), () => page.refused(why)),
        );
        here(() => {
          form.busy = false;
          if (begun) form.close();
        });
        if (begun) page.toasts.add("ok", begun.active ? "Maintenance has begun" : "Maintenance is announced", "Nobody is told of changes meanwhile.");
        await again("connectivity");
      },
      "end-maintenance": async (/** @type {{id: string}} */ { id }) => {
        const said = await page.attempt(() => ask(`api/maintenance/${encodeURIComponent(id)}?${new URLSearchParams({ requested_by: signature() })}`, { method: "DELETE" }));
        if (said) page.toasts.add("ok", "Maintenance is over", "From now on changes are told again.");
        await again("connectivity");
      },
      "save-file": (/** @type {{name: string, text: string}} */ { name, text }) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      },
    },
    asks: [
      { name: /** @type {const} */ ("connectivity"), ask: () => ask(`api/connectivity?hours=${HOURS[looking.reach]}&limit=1000`), every: 20_000, on: /^health$/ },
    ],
  };
}
