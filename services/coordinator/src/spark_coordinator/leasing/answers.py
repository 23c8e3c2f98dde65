"""What the scripts of the lease answer, as types."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator

from spark_common.contracts.leases import LeaseView, Priority, Waiter, Yield


def at_ms(milliseconds: float) -> datetime:
    """Return a moment of Redis' clock."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class Place(BaseModel):
    """One place in line. Times in milliseconds, moments of Redis' clock."""

    model_config = ConfigDict(frozen=True)

    ticket: str
    holder: str
    reason: str = ""
    priority: Priority
    position: int
    eta_ms: float | None = None
    ttl_ms: float
    since_ms: float
    wait_until_ms: float

    def waiter(self) -> Waiter:
        """Return the place as everybody sees it."""
        return Waiter(
            ticket=self.ticket,
            holder=self.holder,
            reason=self.reason,
            priority=self.priority,
            position=self.position,
            eta_seconds=None if self.eta_ms is None else self.eta_ms / 1000,
            ttl_seconds=self.ttl_ms / 1000,
            since=at_ms(self.since_ms),
            wait_until=at_ms(self.wait_until_ms),
        )


class Held(BaseModel):
    """Whoever has the lease, a grant or the drain now."""

    model_config = ConfigDict(frozen=True)

    holder: str | None = None
    reason: str = ""
    priority: Priority | None = None
    since_ms: float | None = None
    left_ms: float | None = None
    fence: int | None = None
    ticket: str | None = None

    @property
    def remaining_seconds(self) -> float | None:
        """Until the end, by Redis' clock."""
        return None if self.left_ms is None else self.left_ms / 1000


class Answer(BaseModel):
    """One answer of one script."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    told: int = 0
    """How many events were written."""
    state: Literal["free", "held", "granted", "draining", "damaged"] = "free"
    epoch: int = 0
    line: list[Place] = []
    lease: Held = Held()
    yields: list[str] = []
    by: Literal["own", "fresh"] | None = None
    ticket: str | None = None
    yours: Literal["lease", "place"] | None = None
    holder: str | None = None
    epoch_was: int | None = None

    @field_validator("line", "yields", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        # Lua cannot tell an empty list from an empty table.
        return value or []

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the JSON of a script."""
        return cls.model_validate(json.loads(text))

    def place(self, ticket: str | None) -> Place | None:
        """Return a place by its ticket."""
        return next((place for place in self.line if place.ticket == ticket), None)

    def view(self, now: datetime) -> LeaseView:
        """Return the lease as everybody sees it; ``now`` is only for people's clocks."""
        left = self.lease.remaining_seconds
        since = self.lease.since_ms
        return LeaseView(
            state="held" if self.state == "damaged" else self.state,
            holder=self.lease.holder,
            reason=self.lease.reason,
            priority=self.lease.priority,
            since=None if since is None else at_ms(since),
            expires_at=None
            if left is None
            else datetime.fromtimestamp(now.timestamp() + left, UTC),
            remaining_seconds=left,
            epoch=self.epoch if self.lease.fence is None else self.lease.fence,
            yields=[_yield(json.loads(row)) for row in self.yields],
            queue=[place.waiter() for place in self.line],
            yours=self.yours,
            ticket=self.ticket if self.yours == "place" else None,
        )


def _yield(row: Mapping[str, Any]) -> Yield:
    return Yield(
        requested_by=row["requested_by"],
        by=row.get("by"),
        note=row.get("note", ""),
        at=at_ms(row["at_ms"]),
    )
