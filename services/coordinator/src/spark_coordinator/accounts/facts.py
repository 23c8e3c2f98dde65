"""What the accounts remember of an event: labels, numbers and times, never a reason or a note."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from spark_common.contracts.swaps import AWAY
from spark_common.envelope import Envelope
from spark_common.events import (
    Event,
    LockAcquired,
    LockDropped,
    LockExpired,
    LockExtended,
    LockForced,
    LockGranted,
    LockQueueChanged,
    LockQueued,
    LockReleased,
    SwapComplete,
    SwapFailed,
)

Kind: TypeAlias = Literal[
    "began", "extended", "ended", "overridden", "queued", "left", "line", "swap"
]
Place: TypeAlias = tuple[str, str, float, float]
"""Of the line: ticket, holder, since, wait until; moments in epoch seconds."""

_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as it counts. Moments in epoch seconds, durations in seconds."""

    id: str
    """Of the event; the same fact told again is the same fact."""
    at: float
    kind: Kind
    holder: str = ""
    """Whom it is about: the holder, who stands in line, who asked for the swap."""
    epoch: int = 0
    until: float | None = None
    """Of a lease: when it ends by itself."""
    seconds: float = 0.0
    """``ended``: how long it was held. ``swap``: how long requests were held off."""
    ticket: str | None = None
    line: tuple[Place, ...] = ()


def fact_of(envelope: Envelope) -> Fact | None:
    """Return what counts of an event; None for events that say nothing to the accounts.

    Raises ValueError when it is none of its type, or cannot be kept.
    """
    read = _READERS.get(envelope.type)
    fact = None if read is None else read(envelope)
    if fact is not None and not (math.isfinite(fact.seconds) and fact.epoch < _LARGEST):
        raise ValueError("a number that cannot be kept")
    return fact


def _began(envelope: Envelope) -> Fact:
    event = LockAcquired.model_validate(envelope.data)
    return Fact(
        envelope.id,
        _moment(event.at),
        "began",
        event.holder,
        event.epoch,
        until=_moment(event.expires_at),
        ticket=event.ticket,
    )


def _extended(envelope: Envelope) -> Fact:
    event = LockExtended.model_validate(envelope.data)
    until = _moment(event.expires_at)
    return Fact(envelope.id, _moment(event.at), "extended", event.holder, event.epoch, until=until)


def _ended(event_type: type[LockReleased | LockExpired]) -> Callable[[Envelope], Fact]:
    def read(envelope: Envelope) -> Fact:
        event = event_type.model_validate(envelope.data)
        return _end(envelope.id, event)

    return read


def _forced(envelope: Envelope) -> Fact:
    event = LockForced.model_validate(envelope.data)
    if event.action != "swap":
        return _end(envelope.id, event)
    # The lease goes on: somebody swapped through it, and that swap is not the holder's.
    return Fact(envelope.id, _moment(event.at), "overridden", event.requested_by, event.epoch)


def _end(id: str, event: LockReleased | LockExpired | LockForced) -> Fact:
    seconds = max(0.0, event.held_seconds)
    return Fact(id, _moment(event.at), "ended", event.holder, event.epoch, seconds=seconds)


def _queued(envelope: Envelope) -> Fact:
    event = LockQueued.model_validate(envelope.data)
    return Fact(envelope.id, _moment(event.at), "queued", event.holder, ticket=event.ticket)


def _left(event_type: type[LockGranted | LockDropped]) -> Callable[[Envelope], Fact]:
    def read(envelope: Envelope) -> Fact:
        event = event_type.model_validate(envelope.data)
        return Fact(envelope.id, _moment(event.at), "left", event.holder, ticket=event.ticket)

    return read


def _line(envelope: Envelope) -> Fact:
    event = LockQueueChanged.model_validate(envelope.data)
    places = tuple(
        (waiter.ticket, waiter.holder, _moment(waiter.since), _moment(waiter.wait_until))
        for waiter in event.queue
    )
    return Fact(envelope.id, _moment(event.at), "line", line=places)


def _complete(envelope: Envelope) -> Fact | None:
    event = SwapComplete.model_validate(envelope.data)
    return None if event.dry_run else _swap(envelope.id, event)


def _failed(envelope: Envelope) -> Fact | None:
    event = SwapFailed.model_validate(envelope.data)
    # One that ended before it touched anything took the cluster from nobody.
    touched = event.failed_in in AWAY or _away(event.phase_seconds) > 0
    return _swap(envelope.id, event) if touched and not event.dry_run else None


def _swap(id: str, event: SwapComplete | SwapFailed) -> Fact:
    seconds = min(_away(event.phase_seconds), max(0.0, event.total_seconds))
    return Fact(id, _moment(event.finished_at), "swap", event.requested_by, seconds=seconds)


def _away(phase_seconds: Mapping[str, float]) -> float:
    return sum(max(0.0, seconds) for phase, seconds in phase_seconds.items() if phase in AWAY)


def _moment(at: datetime) -> float:
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _by_type(
    readers: Mapping[type[Event], Callable[[Envelope], Fact | None]],
) -> Mapping[str, Callable[[Envelope], Fact | None]]:
    return {event_type.type_name(): read for event_type, read in readers.items()}


_READERS: Final = _by_type(
    {
        LockAcquired: _began,
        LockExtended: _extended,
        LockReleased: _ended(LockReleased),
        LockExpired: _ended(LockExpired),
        LockForced: _forced,
        LockQueued: _queued,
        LockGranted: _left(LockGranted),
        LockDropped: _left(LockDropped),
        LockQueueChanged: _line,
        SwapComplete: _complete,
        SwapFailed: _failed,
    }
)
