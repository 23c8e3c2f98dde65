"""Every Redis key of the webhooks, built here and nowhere else."""

PREFIX = "sc:webhook:"

TARGETS = f"{PREFIX}targets"
"""Hash: id of a target, its record as JSON. Secrets are in there and nowhere else."""

MARKS = f"{PREFIX}marks"
"""Hash: ``<target>/<topic>``, the latest event taken as ``<epoch of the stream>:<sequence>``."""

EVENTS = f"{PREFIX}events"
"""Sorted set of the events whose bodies are kept, by when they were taken."""

LATEST = f"{PREFIX}latest"
"""When the latest delivery was made, in microseconds: no two of them share a moment."""

FENCE = "sc:fence:webhooks"
"""Counter of leaders; a paused one writes nothing any more."""


def line(target: str) -> str:
    """List of the deliveries owed to a target, the next one first."""
    return f"{PREFIX}line:{target}"


def pending(target: str) -> str:
    """Sorted set of the deliveries owed to a target, by when they were made, in microseconds."""
    return f"{PREFIX}pending:{target}"


def delivered(target: str) -> str:
    """Sorted set of what a target got."""
    return f"{PREFIX}delivered:{target}"


def dead(target: str) -> str:
    """Sorted set of what was given up."""
    return f"{PREFIX}dead:{target}"


def state(target: str) -> str:
    """Hash: last_status, last_error, disabled_because, dropped."""
    return f"{PREFIX}state:{target}"


def delivery(delivery_id: str) -> str:
    """Hash of one delivery: target, event_id, type, state, tries, times in microseconds, ..."""
    return f"{PREFIX}delivery:{delivery_id}"


def event(event_id: str) -> str:
    """Hash: the body, and every delivery that still needs it with its target."""
    return f"{PREFIX}event:{event_id}"
