// @ts-check
// The name under which the reader asks for things, as typed last in this browser.

const NAME = "spark-control.name";

/** @returns {string} */
export function ownName() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return ""; // storage may be forbidden; then it is typed each time
  }
}

/** How others see who asked. @returns {string} */
export function signature() {
  return ownName() || "dashboard";
}

/** @param {string} name */
export function keepName(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // Storage may be forbidden; then it is typed each time.
  }
}
