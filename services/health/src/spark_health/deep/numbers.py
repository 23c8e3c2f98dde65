"""What Prometheus is told of deep checks."""

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from spark_common.contracts.deep_health import DeepResult, DeepState
from spark_common.service.metrics import REGISTRY

_STATES: Final = get_args(DeepState)
_SAID_NOTHING: Final = "skipped"

_STATE = Gauge(
    "spark_health_deep_state",
    "1 for what the latest deep check of a service came to, 0 for the rest; skipped ones left out",
    ["target", "state"],
    registry=REGISTRY,
)
_CHECKS = Counter(
    "spark_health_deep_checks",
    "Deep checks of a service by what came of them",
    ["target", "state"],
    registry=REGISTRY,
)
_SECONDS = Histogram(
    "spark_health_deep_seconds",
    "How long the job of a deep check took",
    ["target"],
    buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)


def checked(service: str, result: DeepResult) -> None:
    """Count a check that was done here, and show it."""
    _CHECKS.labels(service, result.state).inc()
    if result.latency_ms is not None:
        _SECONDS.labels(service).observe(result.latency_ms / 1000)
    if result.state != _SAID_NOTHING:
        shown(service, result)


def shown(service: str, result: DeepResult) -> None:
    """Show what is known of a service."""
    for state in _STATES:
        if state != _SAID_NOTHING:
            _STATE.labels(service, state).set(result.state == state)


def forget(service: str) -> None:
    """Show a service no more."""
    for state in _STATES:
        try:
            _STATE.remove(service, state)
        except KeyError:
            continue
