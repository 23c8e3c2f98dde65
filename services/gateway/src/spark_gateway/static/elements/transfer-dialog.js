// @ts-check
// Everything that is state as one file: taken out, and taken in on another install.

import { keyed, part, say, show, wish } from "../dom.js";
import { Sheet } from "./sheet.js";

export class TransferDialog extends Sheet {
  static template = "t-transfer-dialog";

  ready() {
    part(this, "export").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      wish(this, "export-state", { passphrase: part(this, "out-phrase").value });
    });
    part(this, "import").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const file = part(this, "file").files?.[0];
      if (file) wish(this, "import-state", { file, passphrase: part(this, "in-phrase").value });
      else this.note("bad", "Choose the file first.");
    });
  }

  begin() {
    this.head("Export and import", "Your backup: settings, schedules, message targets and your changes of recipes, in one file.");
    for (const name of ["out-phrase", "in-phrase", "file"]) part(this, name).value = "";
    this.note("idle", "");
    this.done([]);
    this.busy = false;
    this.show(part(this, "out-phrase"));
  }

  /** @param {boolean} busy */
  set busy(busy) {
    for (const name of ["out-go", "in-go"]) part(this, name).disabled = busy;
  }

  /** Nothing secret stays in the page. */
  closed() {
    for (const name of ["out-phrase", "in-phrase", "file"]) part(this, name).value = "";
  }

  /** What to know about what was done. @param {string[]} lines */
  done(lines) {
    show(part(this, "lines"), lines.length > 0);
    keyed(part(this, "lines"), lines, (line) => line, () => document.createElement("li"), say);
  }
}
