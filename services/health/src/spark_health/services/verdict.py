"""How a service is, from what its port and docker say: pure."""

from typing import Final, TypeAlias

from spark_health.services.box_watch import BoxSight
from spark_health.services.boxes import Box
from spark_health.services.service import Service
from spark_health.watching.first.http_look import HttpLook
from spark_health.watching.first.service_probe import BUSY_SECONDS
from spark_health.watching.ports import Seen

GPU_AT_WORK: Final = 10
"""Percent; an idle GB10 says 0."""
IDLE_SILENCE_SECONDS: Final = 120.0
"""Silence beside an idle GPU is reading and decoding for so long, then it is a fault."""
Verdict: TypeAlias = tuple[Seen, str]


def of_container(service: Service, sight: BoxSight, fresh: bool) -> Verdict:
    """Return how something is that has no port."""
    if not sight.known or not fresh:
        return "unknown", sight.problem or "docker was not asked yet"
    box = sight.box
    if box is None:
        return "down", f"there is no container {service.container} there"
    if (fault := _fault(sight, box)) is not None:
        return "down", fault
    if box.health == "unhealthy":
        return "degraded", "its container runs, and the check inside it fails"
    return "up", ""


def of_port(
    service: Service,
    seen: HttpLook,
    sight: BoxSight,
    *,
    fresh: bool,
    silent_seconds: float = 0.0,
    moved: bool = False,
) -> Verdict:
    """Return how something is that answers over HTTP.

    ``fresh``: what is known of its container is new enough. ``moved``: its counters grew.
    """
    known = sight if sight.known and fresh else None
    box = known.box if known is not None else None
    if seen.ok or (seen.outcome == "answered" and seen.status in (404, 405)):
        if known is not None and known.looping:
            return "degraded", (
                f"it answers now; docker had to start it {known.recent_restarts} times within "
                "ten minutes"
            )
        return "up", "" if seen.ok else f"{service.label} has no {service.path}"
    if known is not None and box is not None and (fault := _fault(known, box)) is not None:
        return "down", fault
    if seen.outcome == "silent":
        return _silent(service, known, silent_seconds, moved)
    said = f"{service.label} {seen.sentence}"
    if known is not None and box is None and service.container is not None:
        return "down", f"{said}; there is no container {service.container} there"
    if box is not None and box.up_seconds is not None and box.up_seconds < IDLE_SILENCE_SECONDS:
        return "down", f"{said}; its container started {round(box.up_seconds)} s ago"
    return "down", said


def _fault(sight: BoxSight, box: Box) -> str | None:
    """Say what is wrong with a container, if its service cannot be well."""
    code = f"exit code {box.exit_code}"
    if sight.looping:
        ended = "" if box.state == "running" else f", {code}"
        return (
            f"its container ends soon after every start: {sight.recent_restarts} starts within ten "
            f"minutes{ended}"
        )
    match box.state:
        case "running":
            return None
        case "exited" | "dead":
            memory = ", it ran out of memory" if box.out_of_memory else ""
            return f"its container does not run ({code}{memory})"
        case "restarting":
            return f"its container ended ({code}) and docker is starting it again"
        case "created":
            return "its container was made and never started"
        case other:
            return f"its container is {other}"


def _silent(
    service: Service, known: BoxSight | None, silent_seconds: float, moved: bool
) -> Verdict:
    box = known.box if known is not None else None
    gpu = known.gpu_percent if known is not None else None
    if moved:
        return "busy", "too busy to answer; its counters move"
    if silent_seconds >= BUSY_SECONDS:
        minutes = round(silent_seconds / 60)
        return "down", f"{service.label} takes connections and has not answered for {minutes} min"
    healthy = box is not None and box.health == "healthy"
    if not service.blocks:
        if healthy:
            return "busy", "it does not answer in time; docker says that it is healthy"
        return "down", f"{service.label} takes connections and does not answer"
    if gpu is not None and gpu >= GPU_AT_WORK:
        return "busy", f"{service.label} is too busy to answer; its GPU is at {gpu} %"
    if healthy or gpu is None:
        return "busy", f"{service.label} takes connections and is too busy to answer"
    unhealthy = box is not None and box.health == "unhealthy"
    if unhealthy or silent_seconds >= IDLE_SILENCE_SECONDS:
        return "down", f"{service.label} takes connections and does not answer; its GPU is idle"
    return "busy", f"{service.label} takes connections and is too busy to answer"
