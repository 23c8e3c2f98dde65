// @ts-check
// Opens the live line while the rest of the page is on its way: the first picture comes meanwhile.

/** What the line tells. */
export const EVENTS = [
  "snapshot", "menu", "swaps", "components", "bus", "swap.progress", "swap.complete", "swap.failed",
  "downloads", "download.progress", "download.complete", "download.failed",
  "updates", "update.progress", "update.complete", "update.failed",
  "lease", "capture", "held", "health",
  ...["install", "overlay"].flatMap((kind) => ["progress", "complete", "failed"].map((word) => `${kind}.${word}`)),
  ...["acquired", "extended", "expiring", "released", "expired", "forced", "freed"].map((word) => `lock.${word}`),
  ...["queued", "queue", "granted", "dropped", "yield_requested"].map((word) => `lock.${word}`),
  ...["registered", "removed", "due", "finished", "missed"].map((word) => `schedule.${word}`),
];

/** @type {EventSource|null} */
let source = new EventSource("api/live");
/** @type {MessageEvent[]} */
let heard = [];
const keep = (/** @type {MessageEvent} */ event) => heard.push(event);
for (const type of EVENTS) source.addEventListener(type, keep);

/**
 * The line with what it has told so far, once; null when it was taken already or did not come about.
 * @returns {{source: EventSource, heard: MessageEvent[]}|null}
 */
export function takeOver() {
  const mine = source;
  source = null;
  if (!mine || mine.readyState === EventSource.CLOSED) return null;
  for (const type of EVENTS) mine.removeEventListener(type, keep);
  const told = heard;
  heard = [];
  return { source: mine, heard: told };
}
