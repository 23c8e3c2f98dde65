// @ts-check
// Models that we know how to start and that lie on no disk.

import { cloned, keyed, part, say, setButton, show, wish } from "../dom.js";
import { count, diskSize } from "../format.js";
import { runsOn } from "../menu.js";

/** @typedef {import("../types.js").RecipeView} RecipeView */

export class AwayList extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(cloned("t-away"));
  }

  /** @param {{recipes: (RecipeView & {expected_bytes?: number|null})[], hosts: number, off: boolean}} away */
  set away({ recipes, hosts, off }) {
    show(this, recipes.length > 0);
    say(part(this, "word"), `Not on disk: ${count(recipes.length)} more that we know how to start`);
    keyed(part(this, "rows"), recipes, (recipe) => recipe.key, () => {
      const row = /** @type {any} */ (cloned("t-away-row").firstElementChild);
      setButton(part(row, "download"), "Download…", "down");
      part(row, "download").addEventListener("click", () => wish(this, "open-download", { repo: row.recipe.repo, mode: row.recipe.mode }));
      return row;
    }, (row, recipe) => {
      row.recipe = recipe;
      say(part(row, "name"), recipe.name);
      say(part(row, "repo"), recipe.local_path ?? recipe.repo);
      say(part(row, "where"), runsOn(recipe.mode, hosts));
      const size = recipe.size_bytes ?? recipe.expected_bytes;
      say(part(row, "size"), typeof size === "number" ? diskSize(size) : "");
      const download = part(row, "download");
      show(download, !recipe.local_path);
      download.disabled = off;
      download.setAttribute("aria-label", `Download ${recipe.name}…`);
    });
  }
}
