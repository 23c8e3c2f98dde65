// @ts-check
// What the dialogs that make a recipe have in common: they are tested while they are filled in, and saved once or twice.

import { part, wish } from "../dom.js";
import { Sheet } from "./sheet.js";

export class RecipeSheet extends Sheet {
  /** Whether there is an own entry of that name, which saving replaces. */
  saved = false;
  /** What saving found wrong, until something is changed. @type {import("../types-control.js").FieldProblem[]} */
  against = [];
  /** Once saving was pressed, what it says stands, however late a preview comes. */
  pressed = false;

  /** Another recipe stands here. */
  fresh() {
    this.typed();
    Object.assign(this, { saved: false, busy: false });
  }

  /** Something was changed: what was said before is void. */
  typed() {
    this.note("idle", "");
    Object.assign(this, { against: [], pressed: false });
  }

  /** @param {import("../types-control.js").RecipeForm | null} form  Null while it is not complete. @param {boolean} test */
  save(form, test) {
    if (!form || part(this, "go").disabled) return;
    this.pressed = true;
    wish(this, "save-setup", { dialog: this, form, test, replace: this.saved });
  }

  /** @param {boolean} working */
  set busy(working) {
    part(this, "go").disabled = working;
    part(this, "anyway").disabled = working;
  }
}
