// Builders of what the server says, for tests.

export const NOW = Date.parse("2026-03-02T12:00:00Z");

/** A moment that many seconds before NOW. */
export const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();

export const host = (number, changes = {}) => ({
  name: `spark${number}`, label: `Spark ${number}`, state: "online", seen_at: ago(5), ...changes,
});

export const model = (key, changes = {}) => ({
  key, name: key.toUpperCase(), repo: `org/${key}`, served_name: key, state: "ready", mode: "solo",
  capabilities: ["chat"], copies: [{ host: "spark1", size_bytes: 20e9, state: "ready" }], loaded: false, ...changes,
});

export const menu = (changes = {}) => ({
  models: [model("alpha", { loaded: true }), model("beta")],
  recipes: [],
  hosts: [host(1), host(2)],
  runtime: { state: "serving", model: "alpha", served_name: "alpha", since: ago(600) },
  problems: [],
  as_of: ago(5),
  ...changes,
});

export const swap = (phase, changes = {}) => ({
  id: "s1", model: "beta", model_name: "BETA", previous: "alpha", requested_by: "Alice", rollback: true,
  phase, phases: [{ phase, at: ago(10) }], message: "", attempt: 1, n: 3, created_at: ago(30), ...changes,
});

export const snapshot = (changes = {}) => ({
  menu: menu(), swaps: { current: null, queue: [], recent: [] },
  components: [{ name: "swapper", state: "up" }], bus: { connected: true }, version: "1", ...changes,
});

export const progress = (n, phase, changes = {}) => ({
  swap_id: "s1", n, model: "beta", phase, message: "", lines: [], attempt: 1, at: ago(0), ...changes,
});
