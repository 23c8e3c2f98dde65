// @ts-check
// One chapter of the runbook as blocks that can be shown as text: paragraphs, steps, commands, rows of a table.

/** @typedef {{kind: "p"|"ol"|"ul"|"pre"|"table", lines: string[]}} Block */

/** The heading as an address has it. @param {string} heading */
export function anchor(heading) {
  return heading.toLowerCase().replace(/[^a-z0-9 -]/g, "").replaceAll(" ", "-");
}

/** @param {string} text @param {string} wanted the anchor @returns {{title: string, blocks: Block[]}|null} */
export function chapter(text, wanted) {
  const parts = text.split(/^## /m).slice(1);
  const found = parts.find((each) => anchor(each.split("\n", 1)[0]) === wanted);
  if (!found) return null;
  const [title, ...lines] = found.split("\n");
  return { title, blocks: blocksOf(lines) };
}

/** @param {string[]} lines @returns {Block[]} */
function blocksOf(lines) {
  /** @type {Block[]} */
  const blocks = [];
  let fenced = false;
  for (const line of lines) {
    const last = blocks.at(-1);
    if (line.startsWith("```")) {
      fenced = !fenced;
      if (fenced) blocks.push({ kind: "pre", lines: [] });
      else blocks.push({ kind: "p", lines: [] });
    } else if (fenced) last?.lines.push(line);
    else if (line.trim() === "" || line.startsWith("<!--")) blocks.push({ kind: "p", lines: [] });
    else {
      const kind = /^\d+\. /.test(line) ? "ol" : line.startsWith("- ") ? "ul" : line.startsWith("|") ? "table" : "p";
      const words = plain(line.replace(/^(\d+\. |- )/, ""));
      if (kind === "table" && /^\|[-| ]+\|$/.test(line)) continue;
      if (last?.kind === kind) last.lines.push(words);
      else blocks.push({ kind, lines: [words] });
    }
  }
  return blocks.filter((block) => block.lines.length > 0);
}

/** Without marks of emphasis and links. @param {string} line */
function plain(line) {
  return line.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1").replaceAll("**", "").replaceAll("`", "");
}
