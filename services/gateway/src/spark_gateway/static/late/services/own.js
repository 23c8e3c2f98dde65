// @ts-check
// The service of one's own that a form describes.

/** What the form says, or what is not right in it. @param {any} form @returns {{service: any, problems: Map<string, any[]>}} */
export function serviceOf({ name, label, kind, host, port, path, container }) {
  /** @type {Map<string, any[]>} */
  const problems = new Map();
  const wrong = (/** @type {string} */ field, /** @type {string} */ message) => problems.set(field, [{ field, message, severity: "error", near: [] }]);
  if (!/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) wrong("name", "needs small letters, digits and dashes");
  /** @type {any} */
  const service = { name, kind, host, ...(label ? { label } : {}), ...(container ? { container } : {}) };
  if (kind === "bot") {
    if (!container) wrong("container", "is needed: a bot has nothing else to be watched by");
    return { service, problems };
  }
  const number = Number(port);
  if (!port || !Number.isInteger(number) || number < 1 || number > 65535) wrong("port", "must be a number from 1 to 65535");
  return { service: { ...service, port: number, ...(path ? { path } : {}) }, problems };
}
