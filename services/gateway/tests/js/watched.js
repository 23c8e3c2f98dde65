// Builders of what the health service says, for tests.

import { ago } from "./scenes.js";

const NAMES = { parakeet: "Parakeet", kokoro: "Kokoro", qdrant: "Qdrant", embeddings: "Embeddings", vllm: "vLLM", spark1: "Spark 1", spark2: "Spark 2" };
const KINDS = { parakeet: "speech_to_text", kokoro: "text_to_speech", qdrant: "vectors", embeddings: "embeddings", vllm: "vllm" };

export const target = (name, changes = {}) => ({
  name, kind: "service", label: NAMES[name] ?? name, state: "up", level: "up", reason: "", because: null, stale: false, flapping: false, maintenance: false, ...changes,
});

export const health = (...targets) => ({ targets, disabled: [], maintenance: [], problems: [], as_of: ago(0) });

export const container = (changes = {}) => ({
  name: "box", state: "running", problem: null, restart_count: 0, recent_restarts: 0, crash_loop: false, up_seconds: 7200, exit_code: null, out_of_memory: false, image: "org/voice:v1", ...changes,
});

export const service = (name, changes = {}) => ({
  name, label: NAMES[name] ?? name, kind: KINDS[name] ?? "http", origin: "built_in", state: "up", reason: "", since: ago(600), stale: false, age_seconds: 2,
  host: "spark1", url: "http://127.0.0.11:8000", version: null, container: container(), actions: ["start", "stop", "restart"], has_logs: true, removable: false,
  acting: null, last_action: null, ...changes,
});

export const remedy = (changes = {}) => ({
  mode: "act", state: "quiet", sentence: "", press: null, evidence: [], restarts: 0, most_restarts: 3, last_restart_at: null, ...changes,
});

export const deep = (name, changes = {}) => ({
  name, label: NAMES[name] ?? name, host: "spark1", disabled: false, running: false, history: [],
  last: { state: "ok", sentence: "heard 9 of 9 words", latency_ms: 412.4, at: ago(120), trigger: "timer", evidence: [] }, remedy: remedy(), ...changes,
});

const GIB = 2 ** 30;

export const hardware = (changes = {}) => ({
  name: "spark1", label: "Spark 1", address: "127.0.0.11", answering: "well", reason: "", read_at: ago(2), age_seconds: 2, stale: false, hostname: "spark-1",
  kernel: null, uptime_seconds: 107_816, load: [0.3, 0.6, 0.7], cores: 20, gpu_unified_memory: true, gpu_problem: null, driver_mismatch: false,
  memory: { total: 120 * GIB, available: 19 * GIB, used: 101 * GIB, free: 17 * GIB, page_cache: 2 * GIB, swap_total: 0, swap_used: 0 },
  consumers: [
    { name: "vllm", bytes: 94 * GIB, share: 0.78 }, { name: "speech", bytes: GIB, share: 0.01 }, { name: "embeddings", bytes: 0, share: 0 },
    { name: "page_cache", bytes: 2 * GIB, share: 0.02 }, { name: "other", bytes: 6 * GIB, share: 0.05 },
  ],
  gpu: { name: "NVIDIA GB10", driver: "580.142", percent: 94, celsius: 65, watts: 68.2, watt_limit: null, processes: [] },
  disk: { total: 1e12, used: 0.3e12, available: 0.7e12 },
  routes: [{ interface: "enP7s7", kind: "cable", source: null }, { interface: "wlP9s9", kind: "wifi", source: null }],
  badges: [], clock_skew_seconds: null, unread: [], wake_address: null, wake: null, can_shut_down: false, can_reboot: false, steps: [], ...changes,
});
