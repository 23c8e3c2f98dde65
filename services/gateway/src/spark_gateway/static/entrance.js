// @ts-check
// Whether one has to sign in first. The session itself is in a cookie that no script can read.

const NAME = "spark-control.signed-in";
const SIGN_IN = "static/sign-in.html";

/** Whether this browser signed in, as far as it remembers: only for the button that signs out. */
export function signedIn() {
  try {
    return localStorage.getItem(NAME) !== null;
  } catch {
    return false; // storage may be forbidden; then the session ends by itself
  }
}

/** @param {boolean} yes */
export function noteSignedIn(yes) {
  try {
    if (yes) localStorage.setItem(NAME, "yes");
    else localStorage.removeItem(NAME);
  } catch {
    // Storage may be forbidden; then there is no button to sign out.
  }
}

/** Leave for the page on which one signs in. */
export function toSignIn() {
  noteSignedIn(false);
  location.assign(SIGN_IN);
}

/** Leave for it when that is why nothing is heard: a stream does not say why it was refused. */
export async function checkEntrance() {
  try {
    const response = await fetch("api/session", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    const session = response.ok ? await response.json() : null;
    if (session?.needed === true && session.signed_in !== true) toSignIn();
  } catch {
    // It is away altogether, and the page says so.
  }
}

/** End the session of this browser. */
export async function signOut() {
  try {
    await fetch("api/session", { method: "DELETE", signal: AbortSignal.timeout(5000) });
  } finally {
    toSignIn();
  }
}
