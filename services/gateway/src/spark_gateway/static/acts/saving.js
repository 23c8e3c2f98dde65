// @ts-check
// Saving a recipe that was confirmed in a form, and testing it before the form is left.

import { saveRecipe, validateModel } from "../api-models.js";
import { part, show } from "../dom.js";
import { testWords } from "../forms.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("../types-control.js").RecipeForm} RecipeForm */
/** @typedef {import("../elements/sheet.js").Sheet & {saved: boolean, busy: boolean, refused: (problems: any[]) => void}} FormSheet */

/**
 * The form may be closed before it is over, and another one opened: what comes then is said apart.
 * @param {Acting} page
 * @param {{dialog: FormSheet, form: RecipeForm, test: boolean, replace: boolean}} wanted
 */
export async function saving(page, { dialog, form, test, replace }) {
  /** @type {import("../types-control.js").FieldProblem[]} */
  let problems = [];
  const here = dialog.meanwhile();
  dialog.busy = true;
  dialog.note("now", "Saving.");
  const detail = await page.attempt(() => saveRecipe(form, replace), (why) => here(() => {
    // The key is taken by an own entry: pressing once more replaces it, and the sentence says what it is.
    if (why.code === "conflict") dialog.saved = true;
    dialog.note("bad", why.code === "conflict" ? `${why.message} Press again to replace it.` : why.message);
    problems = why.problems;
  }, () => page.refused(why)));
  if (detail) await tested(page, dialog, here, detail.form, test);
  here(() => {
    dialog.busy = false;
    if (problems.length > 0) dialog.refused(problems);
  });
}

/** @param {Acting} page @param {FormSheet} dialog @param {ReturnType<FormSheet["meanwhile"]>} here @param {RecipeForm} form @param {boolean} test */
async function tested(page, dialog, here, form, test) {
  here(() => {
    dialog.saved = true;
  });
  const done = (/** @type {string} */ text) => {
    here(() => dialog.close());
    page.toasts.add("ok", `${form.name} is set up`, text);
  };
  if (!test) return done("It was not tested.");
  here(() => dialog.note("now", "Saved. Testing: vLLM reads the settings, nothing is loaded."));
  const anyway = (/** @type {"bad"|"warn"} */ tone, /** @type {string} */ text) => here(() => {
    dialog.note(tone, text);
    show(part(dialog, "anyway"), true);
  }, () => page.toasts.add("bad", `${form.name} is saved`, text));
  const key = form.key ?? form.repo ?? form.name;
  const said = await page.attempt(() => validateModel(key), (why) => anyway("warn", `It is saved, but could not be tested: ${why.message}`));
  if (!said) return undefined;
  const { tone, text } = testWords(said);
  if (tone === "ok") return done(text);
  return anyway(tone, `${text} It is saved as it stands; change it and test again, or save it anyway.`);
}
