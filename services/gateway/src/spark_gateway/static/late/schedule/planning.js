// @ts-check
// What a reader wants of the schedule: add to it, change it, take something off.

import { getCalendar, getSchedule, putSchedule, removeSchedule } from "./asking.js";
import { coming } from "../../format.js";
import { nextRuns, repeats, RUNS_TOLD, runWords } from "./scheduling.js";
import { ownName } from "../../whoami.js";

/** @typedef {import("../../acts/acting.js").Acting} Acting */
/** @typedef {import("../../acts/acting.js").Wishes} Wishes */
/** @typedef {import("../../types-owner.js").ScheduleView} ScheduleView */

const SPANS_DAYS = [7, 62];

/** @param {Acting} page @param {import("../../acts/knowing.js").Knowing} knowing @returns {Wishes} */
export function planning(page, knowing) {
  const dialog = /** @type {import("./schedule-dialog.js").ScheduleDialog} */ (document.querySelector("schedule-dialog"));
  /** @param {string} id @returns {ScheduleView|undefined} */
  const known = (id) => page.state.known.schedules?.value?.schedules.find((/** @type {ScheduleView} */ each) => each.schedule.id === id);
  /** @param {string} id */
  const next = (id) => nextRuns(page.state.known.calendar?.value ?? null, id, Date.now());

  return {
    "open-schedule": async ({ id }) => {
      const view = id ? known(id) : undefined;
      if (id && !view) return;
      const models = page.state.menu?.models ?? [];
      dialog.begin(view?.schedule ?? null, { models, owner: ownName(), next: id ? next(id) : [] });
      if (!id) return;
      const here = dialog.meanwhile();
      const whole = await page.attempt(() => getSchedule(id), () => {}); // without it the form works as well
      if (whole) here(() => dialog.ran(whole.runs.map((run) => runWords(run, Date.now()))));
    },
    "save-schedule": async ({ schedule }) => {
      const here = dialog.meanwhile();
      if (!dialog.base && known(schedule.id)) return dialog.notSaved(taken(schedule.id));
      dialog.busy = true;
      dialog.note("now", "Saving.");
      const view = await page.attempt(() => putSchedule(schedule), (why) => here(() => dialog.notSaved(why), () => page.refused(why)));
      here(() => {
        dialog.busy = false;
        if (view) dialog.stands(view.schedule);
      });
      if (!view) return undefined;
      const runs = await runsOf(page, view);
      here(() => dialog.saved(runs), () => page.toasts.add("ok", "The schedule is saved", view.schedule.name ?? view.schedule.id));
      return knowing.look();
    },
    "remove-schedule": async ({ id }) => {
      const view = known(id);
      if (!view) return;
      const { yes } = await page.dialog.ask(removeQuestion(view));
      if (!yes || !(await page.attempt(() => removeSchedule(id)))) return;
      page.toasts.add("ok", `${view.schedule.name ?? id} is off the schedule`);
      await knowing.look();
    },
  };
}

/**
 * The next runs as the coordinator counts them; of what runs rarely it has to look further.
 * @param {Acting} page @param {ScheduleView} view
 */
async function runsOf(page, { schedule, next_at }) {
  const now = Date.now();
  for (const days of SPANS_DAYS) {
    const until = new Date(now + days * 86400000).toISOString();
    const calendar = await page.attempt(() => getCalendar(new Date(now).toISOString(), until), () => {});
    const runs = nextRuns(calendar, schedule.id, now);
    if (runs.length === RUNS_TOLD) return runs;
    if (runs.length > 0 && days === SPANS_DAYS.at(-1)) return runs;
  }
  return next_at ? [coming(next_at, now)] : [];
}

/** @param {string} id @returns {any} */
function taken(id) {
  const problem = { field: "id", message: `There is a schedule ${id} already. Choose another id, or change that one.`, severity: "error", near: [] };
  return { message: "Nothing was saved.", problems: [problem] };
}

/** @param {ScheduleView} view @returns {import("../../elements/confirm-dialog.js").Question} */
function removeQuestion({ schedule, last, next_at }) {
  const name = schedule.name ?? schedule.id;
  const outside = schedule.kind === "outside";
  const next = next_at ? ` The run ${coming(next_at, Date.now())} is not done any more.` : "";
  return {
    title: `Take ${name} off the schedule?`,
    effects: [
      outside
        ? { kind: "stop", icon: "x", what: "It is not shown and not missed any more.", how: "The other program runs on; it may announce itself again." }
        : { kind: "stop", icon: "x", what: "spark-control does not run it any more.", how: `It ran ${repeats(schedule)}.${next}` },
      { kind: "keep", icon: "ok", what: "Nothing that runs is touched.", how: last?.state === "running" ? "The run that goes on now is finished." : "" },
    ],
    safe: "Keep it",
    go: "Take it off",
    tone: "danger-fill",
  };
}
