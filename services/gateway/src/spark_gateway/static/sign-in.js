// @ts-check
// The page on which one signs in: a key goes out once and stays nowhere, the session comes as a cookie.

import { noteSignedIn } from "./entrance.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const field = /** @type {HTMLInputElement} */ (document.getElementById("key"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
const button = /** @type {HTMLButtonElement} */ (document.querySelector("button"));

/** @param {string} text */
function complain(text) {
  problem.textContent = text;
  problem.hidden = text === "";
  field.toggleAttribute("aria-invalid", text !== "");
  if (text) field.setAttribute("aria-invalid", "true");
}

async function signIn() {
  complain("");
  button.disabled = true;
  try {
    const response = await fetch("../api/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: field.value }),
      signal: AbortSignal.timeout(20000),
    });
    const said = await response.json().catch(() => null);
    if (response.ok) {
      field.value = "";
      noteSignedIn(said?.signed_in === true);
      location.replace(location.hash === "#status" ? "../status" : "../");
      return;
    }
    complain(typeof said?.detail === "string" ? said.detail : `The answer was ${response.status}.`);
  } catch {
    complain("spark-control did not answer; try again in a moment.");
  }
  button.disabled = false;
  field.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn();
});
