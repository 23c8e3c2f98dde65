"""Numbers of recovery."""

from prometheus_client import Counter, Gauge, Histogram

from spark_common.service import REGISTRY

WEDGES = Counter(
    "audio_wedges", "Times the speech server was stuck until its restart", registry=REGISTRY
)
RECOVERY_SECONDS = Histogram(
    "audio_recovery_seconds",
    "From the first failure until the speech server worked again",
    buckets=(1, 5, 15, 30, 60, 90, 120, 180, 300, 600),
    registry=REGISTRY,
)
QUARANTINED = Counter(
    "audio_quarantined", "Requests whose recording had broken the server twice", registry=REGISTRY
)
STATE = Gauge(
    "audio_server_state",
    "1 for the state in which the speech server is, 0 for the others",
    ["state"],
    registry=REGISTRY,
)
