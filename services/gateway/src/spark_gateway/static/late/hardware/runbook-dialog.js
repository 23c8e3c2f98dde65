// @ts-check
// What to do about a finding: one chapter of the runbook.

import { part } from "../../dom.js";
import { Sheet } from "../../elements/sheet.js";
import { chapter } from "./runbook.js";

const PLACE = "static/late/hardware/runbook.md";

export class RunbookDialog extends Sheet {
  static template = "t-runbook-dialog";

  /** @param {string} anchor */
  async begin(anchor) {
    this.head("Runbook");
    part(this, "text").replaceChildren();
    this.note("now", "Opening the runbook.");
    this.show(part(this, "safe"));
    const here = this.meanwhile();
    const text = await fetch(PLACE, { signal: AbortSignal.timeout(10000) }).then((answer) => (answer.ok ? answer.text() : ""), () => "");
    here(() => this.#fill(chapter(text, anchor)));
  }

  /** @param {ReturnType<typeof chapter>} found */
  #fill(found) {
    this.note(found ? "idle" : "bad", found ? "" : "The runbook could not be read. It is docs/RUNBOOK.md of spark-control.");
    if (!found) return;
    this.head(found.title);
    part(this, "text").replaceChildren(...found.blocks.map(element));
  }
}

/** @param {import("./runbook.js").Block} block */
function element({ kind, lines }) {
  const box = document.createElement(kind === "table" ? "ul" : kind);
  if (kind === "pre") {
    box.className = "quote";
    box.tabIndex = 0;
    box.textContent = lines.join("\n");
  } else if (kind === "p") box.textContent = lines.join(" ");
  else {
    const items = kind === "table" ? lines.slice(1).map((line) => line.split("|").map((cell) => cell.trim()).filter(Boolean).join(": ")) : lines;
    box.append(...items.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  }
  return box;
}
