// @ts-check
// Events of a stream, one by one, however it was cut. Pure.

/** @typedef {{event: string, data: string, id: string|null}} Frame */

export class Frames {
  #rest = "";

  /** @param {string} text @returns {Frame[]} those that are whole now */
  push(text) {
    const blocks = (this.#rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(frameOf);
  }
}

/** @param {string} block @returns {Frame} */
function frameOf(block) {
  /** @type {Frame} */
  const frame = { event: "", data: "", id: null };
  const data = [];
  for (const line of block.split("\n")) {
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "event") frame.event = value;
    else if (name === "data") data.push(value);
    else if (name === "id") frame.id = value;
  }
  return { ...frame, data: data.join("\n") };
}
