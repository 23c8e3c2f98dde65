"""Numbers of audio-proxy for Prometheus; labels are few words of our own, never a caller's."""

from prometheus_client import Counter, Gauge, Histogram

from spark_common.service import REGISTRY

_LONG = (0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)

REQUESTS = Counter(
    "audio_requests",
    "Requests for speech by route, response format, status and error code",
    ["route", "format", "status", "code"],
    registry=REGISTRY,
)
SECONDS = Counter(
    "audio_seconds", "Seconds of recordings that were answered", ["route"], registry=REGISTRY
)
UPSTREAM_SECONDS = Histogram(
    "audio_upstream_seconds",
    "Time a speech server took for one call",
    ["upstream", "op"],
    buckets=_LONG,
    registry=REGISTRY,
)
RTF = Gauge(
    "audio_rtf",
    "Seconds of recording per second of work, smoothed",
    ["op"],
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge("audio_queue_depth", "Calls that wait for the GPU here", registry=REGISTRY)
QUEUE_WAIT = Histogram(
    "audio_queue_wait_seconds",
    "How long a call waited for the GPU",
    ["class"],
    buckets=_LONG,
    registry=REGISTRY,
)
INFLIGHT = Gauge("audio_inflight", "Calls of this process at the GPU now", registry=REGISTRY)
DRAINING = Gauge(
    "audio_draining",
    "Calls whose caller left and that the GPU may still be working on",
    registry=REGISTRY,
)
DECODE_SECONDS = Histogram(
    "audio_decode_seconds", "Time to decode one recording", buckets=_LONG, registry=REGISTRY
)
DECODE_FAILURES = Counter(
    "audio_decode_failures", "Recordings that could not be decoded", ["reason"], registry=REGISTRY
)
UPLOAD_BYTES = Counter("audio_upload_bytes", "Bytes of uploads that were read", registry=REGISTRY)
CANCELLED = Counter(
    "audio_cancelled", "Callers that left, by what was going on", ["stage"], registry=REGISTRY
)
UNATTRIBUTED = Histogram(
    "audio_merge_unattributed_ratio",
    "Share of words of one recording whose speaker nobody can tell",
    buckets=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    registry=REGISTRY,
)
FLIPS = Counter(
    "audio_merge_flips", "Words whose sentence outvoted the diarizer", registry=REGISTRY
)
BLEED = Counter(
    "audio_bleed_suppressed",
    "Words dropped because the microphone heard the other side",
    registry=REGISTRY,
)
