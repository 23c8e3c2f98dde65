// @ts-check
// What to do when no Spark is known yet.

import { cloned, part } from "../dom.js";

export class FirstRun extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(cloned("t-first-run"));
    part(this, "env1").value = "SPARK1_HOST=<spark-1-ip>  SPARK1_USER=<spark-user>";
    part(this, "env2").value = "SPARK2_HOST=<spark-2-ip>  SPARK2_USER=<spark-user>";
    part(this, "key").value = "ssh-copy-id -i \"$SSH_KEY_PATH.pub\" <spark-user>@<spark-1-ip>";
  }
}
