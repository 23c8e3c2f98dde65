"""What was hidden and what was refused, in counts."""

from prometheus_client import Counter, Histogram

from spark_common.service import REGISTRY

HIDDEN = Counter(
    "spark_redaction_hidden", "Stretches of text hidden, by type", ["type"], registry=REGISTRY
)
REFUSED = Counter(
    "spark_redaction_refused", "Requests refused, by code", ["code"], registry=REGISTRY
)
SOUGHT = Counter(
    "spark_redaction_names_sought",
    "Texts in which unlisted names were wanted, by how far a model read them",
    ["outcome"],
    registry=REGISTRY,
)
SEEKING_SECONDS = Histogram(
    "spark_redaction_names_seconds",
    "Time a model took to read one text for names",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60, 120),
    registry=REGISTRY,
)
ASKED_OTHERWISE = Counter(
    "spark_redaction_names_fallback",
    "Times a model was asked in another way than at first, by which",
    ["way"],
    registry=REGISTRY,
)
