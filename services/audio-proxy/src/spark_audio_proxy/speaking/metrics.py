"""Numbers of text to speech."""

from prometheus_client import Counter, Histogram

from spark_common.service import REGISTRY

CHARS = Counter(
    "tts_chars", "Characters that were asked to be spoken", ["engine"], registry=REGISTRY
)
FIRST_BYTE = Histogram(
    "tts_first_byte_seconds",
    "From a request for speech to its first sound",
    ["engine"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
    registry=REGISTRY,
)
CUT = Counter(
    "tts_cut_short", "Answers that broke off after their first byte", ["engine"], registry=REGISTRY
)
