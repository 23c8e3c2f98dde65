// @ts-check
// How the common clients are told of this gateway, as it stands. Pure.

/** @typedef {{origin: string, model: string, key: string, embedder: string}} Place */
/** @typedef {{id: string, label: string, help: string, code: (place: Place) => string}} Client */

/** One word of a shell. @param {string} text */
const word = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
/** A literal of Python, of JavaScript, of JSON and of TOML. @param {string} text */
const quoted = (text) => JSON.stringify(text);
/** @param {Place} place */
const base = ({ origin }) => `${origin}/v1`;
const HELLO = [{ role: "user", content: "Hello" }];

/** @param {unknown} value */
const pretty = (value) => JSON.stringify(value, null, 2);

/** @param {Record<string, string>} variables @param {string} first @param {string} [last] */
function docker(variables, first, last) {
  return [first, ...Object.entries(variables).map(([name, value]) => `  -e ${name}=${word(value)}`), ...(last ? [`  ${last}`] : [])].join(" \\\n");
}

/** @type {Client[]} */
export const CLIENTS = [
  {
    id: "curl", label: "curl", help: "Every line that comes is a piece of the answer; without “stream” it comes at once.",
    code: (place) => `curl ${word(`${base(place)}/chat/completions`)} \\\n  -H ${word(`Authorization: Bearer ${place.key}`)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${word(JSON.stringify({ model: place.model, stream: true, messages: HELLO }))}`,
  },
  {
    id: "openai-python", label: "Python, openai", help: "pip install openai",
    code: (place) => `from openai import OpenAI

client = OpenAI(base_url=${quoted(base(place))}, api_key=${quoted(place.key)})
answer = client.chat.completions.create(
    model=${quoted(place.model)},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
  },
  {
    id: "openai-js", label: "JavaScript, openai", help: "npm install openai; in a module, with Node 20 or newer.",
    code: (place) => `import OpenAI from "openai";

const client = new OpenAI({ baseURL: ${quoted(base(place))}, apiKey: ${quoted(place.key)} });
const answer = await client.chat.completions.create({
  model: ${quoted(place.model)},
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);`,
  },
  {
    id: "anthropic", label: "Python, anthropic", help: "pip install anthropic. The address is without /v1; the loaded model has to speak Anthropic's API, which vLLM does.",
    code: (place) => `from anthropic import Anthropic

client = Anthropic(base_url=${quoted(place.origin)}, api_key=${quoted(place.key)})
message = client.messages.create(
    model=${quoted(place.model)},
    max_tokens=512,
    messages=[{"role": "user", "content": "Hello"}],
)
print("".join(block.text for block in message.content if block.type == "text"))`,
  },
  {
    id: "claude-code", label: "Claude Code", help: "All its models are the loaded one, so that no small task of its own wants another.",
    code: (place) => [["BASE_URL", place.origin], ["AUTH_TOKEN", place.key], ["MODEL", place.model], ["DEFAULT_HAIKU_MODEL", place.model]]
      .map(([name, value]) => `export ANTHROPIC_${name}=${word(value)}`).concat("claude").join("\n"),
  },
  {
    id: "codex", label: "Codex", help: "In ~/.codex/config.toml; the key is read from SPARK_KEY. It speaks the Responses API alone.",
    code: (place) => `model = ${quoted(place.model)}\nmodel_provider = "spark"\n\n[model_providers.spark]\nname = "spark-control"\nbase_url = ${quoted(base(place))}\nwire_api = "responses"\nenv_key = "SPARK_KEY"`,
  },
  {
    id: "opencode", label: "opencode", help: "In opencode.json. Cline, Continue and Roo take the same address and key as “OpenAI compatible”.",
    code: (place) => pretty({ provider: { spark: { npm: "@ai-sdk/openai-compatible", name: "spark-control", options: { baseURL: base(place), apiKey: place.key }, models: { [place.model]: {} } } } }),
  },
  {
    id: "open-webui", label: "Open WebUI", help: "Or in it: Admin Settings, Connections, OpenAI API. Chat, recordings, voices and documents go through this address. Set the task model to “auto”, so that titles and tags never ask for another model.",
    code: (place) => docker({
      OPENAI_API_BASE_URL: base(place), OPENAI_API_KEY: place.key,
      AUDIO_STT_ENGINE: "openai", AUDIO_STT_OPENAI_API_BASE_URL: base(place), AUDIO_STT_OPENAI_API_KEY: place.key, AUDIO_STT_MODEL: "whisper-1",
      AUDIO_TTS_ENGINE: "openai", AUDIO_TTS_OPENAI_API_BASE_URL: base(place), AUDIO_TTS_OPENAI_API_KEY: place.key, AUDIO_TTS_MODEL: "tts-1",
      RAG_EMBEDDING_ENGINE: "openai", RAG_OPENAI_API_BASE_URL: base(place), RAG_OPENAI_API_KEY: place.key, RAG_EMBEDDING_MODEL: place.embedder,
    }, "docker run -d -p 3000:8080 -v open-webui:/app/backend/data", "ghcr.io/open-webui/open-webui:main"),
  },
  {
    id: "langchain", label: "LangChain", help: "pip install langchain-openai. Texts are sent as they are, not as token ids of another model.",
    code: (place) => `from langchain_openai import ChatOpenAI, OpenAIEmbeddings

there = {"base_url": ${quoted(base(place))}, "api_key": ${quoted(place.key)}}
chat = ChatOpenAI(model=${quoted(place.model)}, **there)
print(chat.invoke("Hello").content)

embeddings = OpenAIEmbeddings(
    model=${quoted(place.embedder)}, check_embedding_ctx_length=False, **there
)
print(len(embeddings.embed_query("Hello")))`,
  },
  {
    id: "litellm", label: "LiteLLM", help: "In the proxy's config.yaml.",
    code: (place) => `model_list:\n  - model_name: ${quoted(place.model)}\n    litellm_params:\n      model: ${quoted(`openai/${place.model}`)}\n      api_base: ${quoted(base(place))}\n      api_key: ${quoted(place.key)}`,
  },
  {
    id: "home-assistant", label: "Home Assistant", help: "Voice: this bridge, then the integration Wyoming Protocol on port 10300. Talking: Extended OpenAI Conversation with the base URL, the key and the model name from above.",
    code: (place) => docker({
      WYOMING_URI: "tcp://0.0.0.0:10300",
      STT_OPENAI_URL: base(place), STT_OPENAI_KEY: place.key, STT_MODELS: "whisper-1",
      TTS_OPENAI_URL: base(place), TTS_OPENAI_KEY: place.key, TTS_MODELS: "tts-1",
    }, "docker run -d -p 10300:10300", "ghcr.io/roryeckel/wyoming_openai:latest"),
  },
  {
    id: "n8n", label: "n8n", help: "Credentials, new, OpenAI. The list of models fills by itself.",
    code: (place) => `API Key:   ${place.key}\nBase URL:  ${base(place)}`,
  },
  {
    id: "speech", label: "Speech with curl", help: "A recording to words, then words to a voice.",
    code: (place) => `curl ${word(`${base(place)}/audio/transcriptions`)} \\\n  -H ${word(`Authorization: Bearer ${place.key}`)} \\\n  -F file=@recording.wav -F model=whisper-1\n\ncurl ${word(`${base(place)}/audio/speech`)} \\\n  -H ${word(`Authorization: Bearer ${place.key}`)} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"model": "tts-1", "input": "Hello"}' -o hello.mp3`,
  },
];

/** Every address that an app may be told, by what it is for. @param {string} origin @returns {{label: string, value: string}[]} */
export function addresses(origin) {
  return [
    { label: "Chat and the rest of the OpenAI API", value: `${origin}/v1` },
    { label: "Anthropic's API", value: origin },
    { label: "Embeddings", value: `${origin}/v1/embeddings` },
    { label: "Speech to text", value: `${origin}/v1/audio/transcriptions` },
    { label: "Text to speech", value: `${origin}/v1/audio/speech` },
    { label: "Search in collections", value: `${origin}/api/search` },
    { label: "Redaction", value: `${origin}/scrub` },
    { label: "Events", value: `${origin}/api/events` },
    { label: "Numbers for Prometheus", value: `${origin}/metrics` },
  ];
}

/** Whether an address leads to this machine from this machine only. @param {string} hostname */
export function isOnlyHere(hostname) {
  return hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
}

/** A link that may be followed: nothing but pages. @param {unknown} value @returns {string|null} */
export function pageLink(value) {
  if (typeof value !== "string") return null;
  try {
    const url = new URL(value);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
