"""From what a script wrote down to the event that is told of it."""

from collections.abc import Mapping
from typing import Any

from spark_common.events import (
    LockAcquired,
    LockDropped,
    LockEvent,
    LockExpired,
    LockExpiring,
    LockExtended,
    LockForced,
    LockFreed,
    LockGranted,
    LockQueueChanged,
    LockQueued,
    LockReleased,
    LockYieldRequested,
)
from spark_common.subjects import lock_event
from spark_coordinator.leasing.answers import Place, at_ms
from spark_coordinator.outbox import Outgoing

_KINDS: Mapping[str, type[LockEvent]] = {
    kind.type.removeprefix("lock."): kind
    for kind in (
        LockAcquired,
        LockExtended,
        LockExpiring,
        LockReleased,
        LockExpired,
        LockForced,
        LockFreed,
        LockQueued,
        LockGranted,
        LockDropped,
        LockYieldRequested,
    )
}


def event_of(facts: Mapping[str, Any]) -> Outgoing:
    """Return the event of one entry of the outbox; always the same for the same entry."""
    told = dict(facts)
    word, entry = told.pop("word"), told.pop("id")
    at = at_ms(told.pop("at_ms"))
    if word == "queue":
        places = [Place.model_validate(row) for row in told["queue"] or []]
        line = LockQueueChanged(
            epoch=int(told["epoch"]), queue=[place.waiter() for place in places], at=at
        )
        return Outgoing(lock_event(word), line, entry)
    for name in ("expires", "take_up_by"):
        if f"{name}_ms" in told:
            moment = at_ms(told.pop(f"{name}_ms"))
            told["expires_at" if name == "expires" else name] = moment
    if "eta_ms" in told:
        told["eta_seconds"] = told.pop("eta_ms") / 1000
    return Outgoing(lock_event(word), _KINDS[word].model_validate({**told, "at": at}), entry)
