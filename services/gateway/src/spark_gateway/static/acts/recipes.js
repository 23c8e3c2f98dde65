// @ts-check
// What a reader wants of recipes: set up, change, test, import, remove.

import {
  clearQuarantine, getRecipe, importTemplate, listFlags, listTemplates, previewRecipe, removeRecipe, setKnobs,
  suggestRecipe, validateModel,
} from "../api-models.js";
import { part } from "../dom.js";
import { testWords } from "../forms.js";
import { quarantineQuestion, removeQuestion, replaceQuestion } from "../questions-disk.js";
import { latest } from "./acting.js";
import { saving } from "./saving.js";

/** @typedef {import("./acting.js").Acting} Acting */
/** @typedef {import("./acting.js").Wishes} Wishes */

const PAUSE_MS = 300;

/** @param {Acting} page @returns {Wishes} */
export function recipes(page) {
  const knobs = /** @type {import("../elements/knobs-dialog.js").KnobsDialog} */ (document.querySelector("knobs-dialog"));
  const setup = /** @type {import("../elements/setup-dialog.js").SetupDialog} */ (document.querySelector("setup-dialog"));
  const local = /** @type {import("../elements/local-dialog.js").LocalDialog} */ (document.querySelector("local-dialog"));
  const templates = /** @type {import("../elements/templates-dialog.js").TemplatesDialog} */ (document.querySelector("templates-dialog"));
  const grid = /** @type {import("../elements/model-grid.js").ModelGrid} */ (document.querySelector("model-grid"));
  const hosts = () => page.state.menu?.hosts.length ?? 1;
  /** @type {Set<string>} */
  const tested = new Set();

  /** @param {import("../elements/sheet.js").Sheet & {previewed: (preview: any) => void}} dialog @param {(question: any) => any} body */
  const previewing = (dialog, body) => latest(dialog, PAUSE_MS, (question) => previewRecipe(body(question)), (preview) => dialog.previewed(preview), () => {});

  /** @param {string} key */
  const test = async (key) => {
    tested.add(key);
    grid.testing = tested;
    const said = await page.attempt(() => validateModel(key));
    tested.delete(key);
    grid.testing = tested;
    if (!said) return;
    const { tone, text } = testWords(said);
    page.toasts.add(tone === "ok" ? "ok" : "bad", `${page.model(key)?.name ?? key}: ${said.verdict === "good" ? "test passed" : said.verdict === "bad" ? "test failed" : "not fully tested"}`, text);
  };

  /** @param {boolean} refresh */
  const read = async (refresh) => {
    templates.reading();
    const said = await page.attempt(() => listTemplates(refresh), (why) => templates.fail(why.message));
    if (said) templates.templates = said;
  };

  return {
    "open-advanced": async ({ key }) => {
      const detail = await page.attempt(() => getRecipe(key));
      if (!detail) return;
      knobs.begin(key, page.model(key)?.name ?? key, detail);
      const known = await page.attempt(listFlags, () => {});
      if (known) part(knobs, "flags").known = known.flags;
    },
    "preview-knobs": previewing(knobs, ({ key, knobs: turned, flags }) => ({ model: key, knobs: turned, flags })),
    "save-knobs": async ({ key, knobs: turned, flags, reset }) => {
      const wanted = reset ? { reset: true } : { knobs: turned, flags };
      const here = knobs.meanwhile();
      const detail = await page.attempt(() => setKnobs(key, wanted), (why) => here(() => {
        knobs.note("bad", why.message);
        if (knobs.preview && why.problems.length > 0) knobs.previewed({ ...knobs.preview, problems: why.problems });
      }, () => page.refused(why)));
      if (!detail) return;
      here(() => knobs.close());
      page.toasts.add("ok", "Saved", "Used from the next time it is loaded.");
    },
    "test-knobs": async ({ key, knobs: turned, flags }) => {
      knobs.note("now", "Testing: vLLM reads the settings, nothing is loaded.");
      const here = knobs.meanwhile();
      const said = await page.attempt(() => validateModel(key, { knobs: turned, flags }), (why) => here(() => knobs.note("bad", why.message)));
      if (said) here(() => knobs.note(testWords(said).tone, testWords(said).text));
    },
    "test-model": ({ key }) => test(key),
    "open-setup": async ({ key }) => {
      const model = page.model(key);
      const suggestion = await page.attempt(() => suggestRecipe(model?.repo ?? key));
      if (suggestion) setup.begin(suggestion, hosts());
    },
    "preview-setup": previewing(setup, ({ form }) => ({ recipe: form })),
    "open-local": () => local.begin(hosts()),
    "preview-local": previewing(local, ({ form }) => ({ recipe: form })),
    "save-setup": (wanted) => saving(page, wanted),
    "open-templates": () => {
      templates.begin(hosts());
      return read(false);
    },
    "read-templates": ({ refresh }) => read(refresh),
    "import-template": async ({ template }) => {
      const ours = template.known_as;
      if (ours && !(await page.dialog.ask(replaceQuestion(template, page.model(ours)?.name ?? ours))).yes) return;
      const detail = await page.attempt(() => importTemplate(template.name, Boolean(ours)), (why) => templates.note("bad", why.message));
      if (!detail) return;
      templates.note("ok", `${detail.form.name} is imported. It is on the list of models.`);
      page.toasts.add("ok", "Imported", detail.form.name);
    },
    "remove-recipe": async ({ key }) => {
      const model = page.model(key);
      if (!model || !(await page.dialog.ask(removeQuestion(model))).yes) return;
      if (await page.attempt(() => removeRecipe(key))) page.toasts.add("ok", `${model.name} is removed`, "Its files are still there.");
    },
    "clear-quarantine": async ({ key }) => {
      const model = page.model(key);
      if (!model || !(await page.dialog.ask(quarantineQuestion(model, page.state))).yes) return;
      if (await page.attempt(() => clearQuarantine(key))) page.toasts.add("ok", `${model.name} may load again`, "Press “Switch to this…” when you want it.");
    },
  };
}
