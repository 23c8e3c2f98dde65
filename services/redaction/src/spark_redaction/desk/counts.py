"""What was hidden and what was refused, in counts."""

from prometheus_client import Counter

from spark_common.service import REGISTRY

HIDDEN = Counter(
    "spark_redaction_hidden", "Stretches of text hidden, by type", ["type"], registry=REGISTRY
)
REFUSED = Counter(
    "spark_redaction_refused", "Requests refused, by code", ["code"], registry=REGISTRY
)
