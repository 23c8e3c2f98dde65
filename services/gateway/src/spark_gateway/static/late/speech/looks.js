// @ts-check
// What is known of speech, as people read it. Pure.

/** @typedef {import("../../types.js").Tone} Tone */
/** @typedef {{start_ms: number, end_ms: number, speaker: string|null, text: string, confidence?: number|null}} Block */
/** @typedef {{id: string, name: string, language?: string, engine?: string}} Voice */

const VOICES = 6;
const UNSURE = 0.6;

/** @type {Record<string, {tone: Tone, icon: string, word: string}>} */
const STATES = {
  ready: { tone: "ok", icon: "ok", word: "Ready" },
  busy: { tone: "now", icon: "busy", word: "At work" },
  loading: { tone: "now", icon: "busy", word: "Loading its model" },
  suspect: { tone: "warn", icon: "warn", word: "Being looked at" },
  recovering: { tone: "warn", icon: "busy", word: "Restarting" },
  down: { tone: "bad", icon: "bad", word: "Does not answer" },
};

/** @param {any} status what `/api/audio/status` says; null while nobody answers */
export function stateLook(status) {
  const loads = status?.state === "recovering" && status.upstream?.status === "loading";
  return STATES[loads ? "loading" : status?.state] ?? { tone: "idle", icon: "idle", word: "Not known" };
}

/** Who is at the GPU and who waits for it, in words. @param {any} status @returns {string} */
export function queueWords(status) {
  const queue = status?.queue;
  if (!queue) return "";
  const waiting = Object.values(queue.waiting ?? {}).reduce((sum, each) => sum + Number(each), 0) + Number(queue.waiting_elsewhere ?? 0);
  const working = `${queue.in_use} of ${queue.ceiling} at work`;
  const line = waiting === 0 ? "nobody waits" : `${waiting} ${waiting === 1 ? "waits" : "wait"}, about ${Math.ceil(queue.expected_wait_seconds ?? 0)} s`;
  const leaving = queue.draining > 0 ? `, ${queue.draining} to be finished for callers who left` : "";
  return `${working}, ${line}${leaving}.`;
}

/** @param {number} ms @returns {string} `3:07` */
export function clockOf(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const tail = `${String(minutes % 60).padStart(minutes >= 60 ? 2 : 1, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${tail}` : tail;
}

/**
 * Blocks of a transcript with a colour per speaker, in the order in which they first speak.
 * @param {Block[]} blocks
 */
export function blockLooks(blocks) {
  const speakers = [...new Set(blocks.map((block) => block.speaker).filter((name) => name !== null))];
  return blocks.map((block, index) => {
    const sure = block.confidence ?? null;
    return {
      key: String(index),
      who: block.speaker === null ? "Somebody" : speakerName(block.speaker),
      voice: block.speaker === null ? 0 : (speakers.indexOf(block.speaker) % VOICES) + 1,
      at: clockOf(block.start_ms),
      seconds: block.start_ms / 1000,
      text: block.text,
      sure: sure === null ? "" : `${Math.round(sure * 100)}\u00a0%`,
      unsure: sure !== null && sure < UNSURE,
    };
  });
}

/** `Speaker_0` is the first one; names stay. @param {string} name */
export function speakerName(name) {
  const number = /^Speaker_(\d+)$/.exec(name);
  return number ? `Speaker ${Number(number[1]) + 1}` : name;
}

/** Voices by language, the most common one first. @param {Voice[]} voices @returns {{language: string, voices: Voice[]}[]} */
export function voiceGroups(voices) {
  /** @type {Map<string, Voice[]>} */
  const groups = new Map();
  for (const voice of voices) {
    const language = voice.language ?? "";
    groups.set(language, [...(groups.get(language) ?? []), voice]);
  }
  return [...groups].map(([language, members]) => ({ language, voices: members })).sort((one, two) => two.voices.length - one.voices.length);
}

/** @param {Record<string, any>} heard the answer @returns {string} */
export function heardWords(heard) {
  const count = heard.speakers_detected?.length ?? 0;
  const who = count === 0 ? "nobody could be told apart" : count === 1 ? "one voice" : `${count} voices`;
  return `${clockOf((heard.duration ?? 0) * 1000)} of sound, ${who}.`;
}
