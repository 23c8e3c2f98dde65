"""Which groups of settings the owner edits. One line here makes a group editable."""

from spark_common.owner.table import Section, Table
from spark_common.settings.groups import RuntimeSettings
from spark_common.settings.policies import (
    DataPathSettings,
    DownloadTimings,
    GuardSettings,
    HoldSettings,
    HomeSettings,
    KeySettings,
    LeasePolicy,
    ModelNamesSettings,
    QueueSettings,
    RemedySettings,
    RequestLogSettings,
    SwapPace,
)
from spark_common.settings.redaction import UnknownNamesSettings
from spark_common.settings.speech import SpeechPlaces, SpeechSettings
from spark_common.settings.support import (
    EmbedSettings,
    HubSettings,
    KokoroSettings,
    MagpieSettings,
    MatrixBridgeSettings,
    NgcSettings,
    PageSettings,
    ParakeetSettings,
    QdrantSettings,
    WebhookSettings,
)
from spark_common.settings.voice import VoiceSettings

SECTIONS = (
    Section("Page", PageSettings),
    Section("vLLM", RuntimeSettings),
    Section("Swaps", SwapPace),
    Section("Memory guard", GuardSettings),
    Section("Remedies", RemedySettings),
    Section("Downloads", DownloadTimings),
    Section("Lease", LeasePolicy),
    Section("Lease", DataPathSettings),
    Section("Model names", ModelNamesSettings),
    Section("API keys", KeySettings),
    Section("Requests", QueueSettings),
    Section("Requests", HoldSettings),
    Section("Home model", HomeSettings),
    Section("Requests", RequestLogSettings),
    Section("Keys", HubSettings),
    Section("Keys", NgcSettings),
    Section("Webhook", WebhookSettings),
    Section("Parakeet", ParakeetSettings),
    Section("Kokoro", KokoroSettings),
    Section("Magpie", MagpieSettings),
    Section("Speech", SpeechSettings),
    Section("Speech", SpeechPlaces),
    Section("Voices", VoiceSettings),
    Section("Redaction", UnknownNamesSettings),
    Section("Embeddings", EmbedSettings),
    Section("Qdrant", QdrantSettings),
    Section("Matrix bridge", MatrixBridgeSettings),
)

TABLE = Table(SECTIONS)
