// @ts-check
// The window of maintenance that a form announces.

/** What the form says, or what is not right in it. @param {any} form @returns {{window: any, problems: Map<string, any[]>}} */
export function windowOf({ target, minutes, starts_at: starts, reason }) {
  /** @type {Map<string, any[]>} */
  const problems = new Map();
  const number = Number(minutes);
  if (!minutes || !(number >= 1 && number <= 7 * 24 * 60)) problems.set("minutes", [{ field: "minutes", message: "must be from 1 minute to a week", severity: "error", near: [] }]);
  return { window: { target, minutes: number, reason, ...(starts ? { starts_at: new Date(starts).toISOString() } : {}) }, problems };
}
