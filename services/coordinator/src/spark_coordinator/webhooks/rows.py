"""A delivery as Redis keeps it, and the times in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, cast

from spark_common.contracts.webhooks import DeliveryView

DeliveryState: TypeAlias = Literal["pending", "delivered", "dead"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970: exact, and small enough for Redis' numbers."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(text: str | None) -> datetime | None:
    """Return the time that ``micros`` wrote; None for nothing."""
    return _EPOCH + timedelta(microseconds=int(text)) if text else None


@dataclass(frozen=True)
class NewDelivery:
    """An event that shall be owed to a target."""

    id: str
    event_id: str
    type: str
    body: str
    created_at: datetime
    give_up_at: datetime


@dataclass(frozen=True)
class Owed:
    """The next delivery of a line, with what is sent."""

    id: str
    event_id: str
    type: str
    body: str
    tries: int
    next_at: datetime
    give_up_at: datetime

    @classmethod
    def read(cls, id: str, body: str, fields: Mapping[str, str]) -> "Owed":
        """Read what the script ``HEAD`` answers."""
        return cls(
            id=id,
            event_id=fields["event_id"],
            type=fields["type"],
            body=body,
            tries=int(fields["tries"]),
            next_at=moment(fields["next"]) or _EPOCH,
            give_up_at=moment(fields["give_up"]) or _EPOCH,
        )


def view_of(id: str, fields: Mapping[str, str]) -> DeliveryView:
    """Return a row of the delivery log as everybody sees it."""
    state = cast(DeliveryState, fields["state"])
    return DeliveryView(
        id=id,
        target=fields["target"],
        event_id=fields["event_id"],
        type=fields["type"],
        state=state,
        tries=int(fields["tries"]),
        status=int(fields["status"]) if fields.get("status") else None,
        latency_ms=float(fields["latency"]) if fields.get("latency") else None,
        error=fields.get("error") or None,
        created_at=moment(fields["created"]) or _EPOCH,
        tried_at=moment(fields.get("tried")),
        next_try_at=moment(fields.get("next")) if state == "pending" else None,
        test=fields.get("test") == "1",
    )
