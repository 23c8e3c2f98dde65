"""What Prometheus is told of health."""

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from spark_common.contracts.health import Shown, TargetView
from spark_common.service.metrics import REGISTRY

_STATES: Final = get_args(Shown)

_UP = Gauge(
    "spark_health_up",
    "1 when a target is up, idle, busy or degraded, 0 when it is down; absent when nobody can tell",
    ["target", "kind"],
    registry=REGISTRY,
)
_STATE = Gauge(
    "spark_health_state",
    "1 for the state in which a target is shown, 0 for the others",
    ["target", "state"],
    registry=REGISTRY,
)
_AGE = Gauge(
    "spark_health_seen_age_seconds",
    "Seconds since the last good look at a target",
    ["target"],
    registry=REGISTRY,
)
_FLAPPING = Gauge(
    "spark_health_flapping",
    "1 while a target changed four times or more within half an hour",
    ["target"],
    registry=REGISTRY,
)
_MAINTENANCE = Gauge(
    "spark_health_maintenance",
    "1 while maintenance is announced for a target",
    ["target"],
    registry=REGISTRY,
)
_UPTIME = Gauge(
    "spark_health_uptime_percent",
    "Share of the watched time in which a target was up, by window: day, week, month",
    ["target", "window"],
    registry=REGISTRY,
)
_TRANSITIONS = Counter(
    "spark_health_transitions",
    "Transitions of a target by the level they led to",
    ["target", "to"],
    registry=REGISTRY,
)
_LOOK_SECONDS = Histogram(
    "spark_health_look_seconds",
    "How long a look at a target took",
    ["target"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 5, 10, 20),
    registry=REGISTRY,
)
_REPORTS = Counter(
    "spark_health_reports",
    "What apps reported about a target; `other` for names that are no target",
    ["target", "ok"],
    registry=REGISTRY,
)


def stands(view: TargetView) -> None:
    """Show how a target is now."""
    name = view.name
    for state in _STATES:
        _STATE.labels(name, state).set(view.state == state)
    if view.state == "unknown":
        _drop(_UP, name, view.kind)
    else:
        _UP.labels(name, view.kind).set(view.state != "down")
    if view.age_seconds is not None:
        _AGE.labels(name).set(view.age_seconds)
    _FLAPPING.labels(name).set(view.flapping)
    _MAINTENANCE.labels(name).set(view.maintenance)
    for window in ("day", "week", "month"):
        percent = getattr(view.uptime, window)
        if percent is not None:
            _UPTIME.labels(name, window).set(percent)


def looked(target: str, seconds: float) -> None:
    """Count a look."""
    _LOOK_SECONDS.labels(target).observe(seconds)


def changed(target: str, to: str) -> None:
    """Count a transition."""
    _TRANSITIONS.labels(target, to).inc()


def reported(target: str | None, ok: bool) -> None:
    """Count what an app told."""
    _REPORTS.labels(target or "other", "true" if ok else "false").inc()


def forget(target: str) -> None:
    """Show a target no more."""
    for kind in ("host", "service", "model"):
        _drop(_UP, target, kind)
    for state in _STATES:
        _drop(_STATE, target, state)
    for window in ("day", "week", "month"):
        _drop(_UPTIME, target, window)
    for gauge in (_AGE, _FLAPPING, _MAINTENANCE):
        _drop(gauge, target)


def _drop(gauge: Gauge, *labels: str) -> None:
    try:
        gauge.remove(*labels)
    except KeyError:
        return
