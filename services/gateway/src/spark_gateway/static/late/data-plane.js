// @ts-check
// Questions to what lies beside the models: speech and redaction. Where the owner asks for keys they take
// one that may infer; it is asked for once and kept for as long as the page is open.

const entrance = { key: "", /** @type {Set<() => void>} */ wanted: new Set() };

/** @param {() => void} listener  Is called when a key is asked for. */
export function whenKeyIsWanted(listener) {
  entrance.wanted.add(listener);
}

/** @param {string} text */
export function useKey(text) {
  entrance.key = text.trim();
}

/** @param {string} path @param {{method?: string, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [options] @returns {Promise<Response>} raises Error with words for people, named by its code */
export async function asked(path, options) {
  /** @type {Record<string, string>} */
  const shown = entrance.key ? { authorization: `Bearer ${entrance.key}` } : {};
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { ...options?.headers, ...shown } });
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new Error("spark-control did not answer, or the connection broke.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 || answer.status === 403) for (const listener of entrance.wanted) listener();
  const said = await answer.json().catch(() => null);
  const refused = new Error(refusalWords(answer.status, said));
  refused.name = said?.error?.code ?? said?.code ?? "refused";
  throw refused;
}

/** Why something was refused, for people. @param {number} status @param {any} said */
export function refusalWords(status, said) {
  const message = said?.error?.message ?? said?.detail;
  if (typeof message !== "string" || message === "") return `It did not work (the answer was ${status}).`;
  return `${message[0].toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}
