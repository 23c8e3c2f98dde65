"""Which events can be replayed over HTTP, where each is stored, and how callers choose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spark_common import schemas
from spark_common.bus.patterns import matches
from spark_common.errors import InvalidRequestError

REPLAYED = (
    "SC_SWAP_EVT",
    "SC_SWAP_ADM",
    "SC_JOB_EVT",
    "SC_LEASE_EVT",
    "SC_SCHED_EVT",
    "SC_HEALTH",
)
"""The streams behind ``/api/events``; progress has routes of its own."""


@dataclass(frozen=True)
class EventType:
    """One type by its name without version: ``swap.complete``."""

    name: str
    stream: str
    subject: str
    """Pattern of the subjects on which it is stored."""


TYPES: Mapping[str, EventType] = {
    channel.message.type: EventType(
        channel.message.type, channel.stream.name, channel.address.replace("{id}", "*")
    )
    for channel in schemas.CHANNELS
    if channel.stream is not None and channel.stream.name in REPLAYED
}


def type_of(subject: str) -> str | None:
    """Return the type that is stored on a subject, or None for what no type of ours is."""
    return next((each.name for each in TYPES.values() if matches(each.subject, subject)), None)


@dataclass(frozen=True)
class Wanted:
    """The types a caller asked for."""

    types: frozenset[str]

    def subjects(self, stream: str) -> tuple[str, ...]:
        """Return the patterns of a stream that are wanted; empty when none is."""
        return tuple(
            each.subject
            for each in TYPES.values()
            if each.stream == stream and each.name in self.types
        )


EVERYTHING = Wanted(frozenset(TYPES))


def wanted(patterns: Iterable[str]) -> Wanted:
    """Return the types that patterns like ``lock.*`` or ``swap.complete`` name; none means all.

    Raises InvalidRequestError, with the types there are, for a pattern that names none.
    """
    asked = [part for pattern in patterns for part in pattern.split(",") if part]
    if not asked:
        return EVERYTHING
    found: set[str] = set()
    unknown = []
    for pattern in asked:
        named = {name for name in TYPES if matches(pattern, name)}
        if not named:
            unknown.append(pattern)
        found |= named
    if unknown:
        raise InvalidRequestError(
            f"no event is of type {', '.join(map(repr, unknown))}; there are: {', '.join(TYPES)}",
            unknown=list(unknown),
            types=list(TYPES),
        )
    return Wanted(frozenset(found))
