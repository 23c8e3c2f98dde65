// Builders of what the server says, for tests.

export const NOW = Date.parse("2026-03-02T12:00:00Z");

/** A moment that many seconds before NOW. */
export const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();

export const host = (number, changes = {}) => ({
  name: `spark${number}`, label: `Spark ${number}`, state: "online", seen_at: ago(5), ...changes,
});

export const model = (key, changes = {}) => ({
  key, name: key.toUpperCase(), repo: `org/${key}`, served_name: key, source: "bundled", state: "ready", mode: "solo",
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
  menu: menu(), swaps: { current: null, queue: [], recent: [] }, lease: lease("free", { holder: null, remaining_seconds: null }),
  components: [{ name: "swapper", state: "up" }], bus: { connected: true }, version: "1", ...changes,
});

export const lease = (state = "held", changes = {}) => ({
  state, holder: "crm-sync", reason: "imports", priority: "interactive", since: ago(600), remaining_seconds: 2280, epoch: 7, yields: [], queue: [], ...changes,
});

export const waiter = (position, changes = {}) => ({
  ticket: `t${position}`, holder: "Bob", reason: "", priority: "human", position, eta_seconds: 2280, ttl_seconds: 300,
  since: ago(60), wait_until: ago(-600), ...changes,
});

export const progress = (n, phase, changes = {}) => ({
  swap_id: "s1", n, model: "beta", phase, message: "", lines: [], attempt: 1, at: ago(0), ...changes,
});

export const download = (changes = {}) => ({
  id: "d1", requested_by: "Alice", state: "running", step: "fetching", percent: 41, eta_seconds: 390, message: "", cause: null,
  n: 3, created_at: ago(300), finished_at: null, repo: "org/alpha", done_bytes: 24.9e9, total_bytes: 60e9, bytes_per_second: 92e6,
  places: [{ host: "spark1", label: "Spark 1", state: "running", done_bytes: 24.9e9 }], ...changes,
});

export const update = (changes = {}) => ({
  id: "u1", requested_by: "Alice", state: "running", step: "building", percent: 42, eta_seconds: 540, message: "Step 11/26",
  cause: null, n: 3, created_at: ago(300), finished_at: null, direction: "update", ...changes,
});

export const updates = (changes = {}) => ({
  checkouts: [{
    host: "spark1", label: "Spark 1", present: true, behind: 2, dirty: [],
    commits: [{ sha: "4f1c2aa000", subject: "one", body: "" }, { sha: "b90d771000", subject: "two", body: "" }],
  }],
  can_apply: true, can_revert: false, blockers: [], job: null, ...changes,
});

/** Sizes and times have gaps that do not break; tests do without. */
export const plain = (text) => text.replaceAll("\u00a0", " ").replaceAll("\u202f", " ");

/** A whole state with some of it changed. */
export const stateOf = ({ menu: list = menu(), swaps = null, downloads = null, updates: news = null } = {}) => ({
  link: "live", menu: list, swaps, downloads, updates: news, dismissed: [], etaAt: NOW,
});
