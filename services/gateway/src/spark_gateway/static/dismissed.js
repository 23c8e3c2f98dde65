// @ts-check
// Which failures the reader put away; it outlives a reload where the browser keeps things.

const NAME = "spark-control.dismissed";
const KEPT = 40;

/** @returns {string[]} */
export function dismissals() {
  try {
    const said = localStorage.getItem(NAME) ?? "";
    return said.split(" ").filter(Boolean);
  } catch {
    return []; // storage may be forbidden; then nothing was put away
  }
}

/** @param {string} id */
export function keepDismissal(id) {
  try {
    localStorage.setItem(NAME, [...dismissals().filter((each) => each !== id), id].slice(-KEPT).join(" "));
  } catch {
    // Storage may be forbidden; then it comes back with the next load.
  }
}
