"""Webhooks: targets that are told what happened, and what became of every delivery."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, SecretStr, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import SwapId, Text

TargetKind: TypeAlias = Literal["webhook", "ntfy", "email", "matrix", "gotify"]
Topic: TypeAlias = Literal["swap", "lock", "schedule", "health", "service"]
"""Groups of events a target may choose; ``swap`` are the outcomes, and the default."""
TargetId = SwapId
SecretText = Annotated[SecretStr, Field(min_length=1, max_length=2000)]


class PutTarget(Request):
    """Make or replace a target. A secret that is left out stays as it is."""

    id: TargetId
    name: Text | None = None
    kind: TargetKind = "webhook"
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    """``webhook``: where to POST; no credentials, no redirects."""
    address: SecretText | None = None
    """The other kinds: the address in the notation of the notification library; it holds
    passwords and is never told again."""
    secret: SecretText | None = None
    """``webhook``: signs every delivery."""
    clear_secret: bool = False
    topics: list[Topic] = ["swap"]
    enabled: bool = True


class RemoveTarget(Request):
    """Forget a target and what is still owed to it."""

    id: TargetId


class TestTarget(Request):
    """Send a test event to one target now, past the line of what is owed."""

    id: TargetId


class ListTargets(Request):
    """Ask for all targets and how they stand."""


class TargetView(Reply):
    """A target as everybody sees it; secrets only as "is set"."""

    id: str
    name: str
    kind: TargetKind
    url: str | None = None
    address: str | None = None
    """Scheme and host of the other kinds; the rest is secret."""
    has_secret: bool = False
    topics: list[Topic] = []
    enabled: bool = True
    disabled_because: str | None = None
    """Why it was switched off by itself: the receiver answered 410."""
    from_settings: bool = False
    """It is the one of ``WEBHOOK_URL``; change it there."""
    pending: int = 0
    dead: int = 0
    dropped: int = 0
    """Given up unseen, because more was owed or kept than there is room for."""
    last_status: int | None = None
    last_error: str | None = None
    next_try_at: datetime | None = None


class Targets(Reply):
    """All targets."""

    targets: list[TargetView] = []


class DeliveryView(Reply):
    """One event on its way to one target; latency in milliseconds."""

    id: str
    """The same over all tries; the receiver sees it as ``webhook-id``."""
    target: str
    event_id: str
    type: str
    """Of the event: ``swap.complete``."""
    state: Literal["pending", "delivered", "dead"]
    tries: int = 0
    status: int | None = None
    """HTTP status of the latest try."""
    latency_ms: float | None = None
    error: str | None = None
    created_at: datetime
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    test: bool = False


class ListDeliveries(Request):
    """Ask for the delivery log, newest first."""

    target: TargetId | None = None
    state: Literal["pending", "delivered", "dead"] | None = None
    limit: int = Field(default=50, ge=1, le=500)
    before: AwareDatetime | None = None


class Deliveries(Reply):
    """A page of the delivery log."""

    deliveries: list[DeliveryView] = []


class SendAgain(Request):
    """Give a dead delivery another chance, with the same id."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$")]


PUT_TARGET = Rpc("rpc.coordinator.webhook.put", PutTarget, TargetView)
REMOVE_TARGET = Rpc("rpc.coordinator.webhook.remove", RemoveTarget, Targets)
TEST_TARGET = Rpc("rpc.coordinator.webhook.test", TestTarget, DeliveryView)
LIST_TARGETS = Rpc("rpc.coordinator.webhook.list", ListTargets, Targets)
LIST_DELIVERIES = Rpc("rpc.coordinator.webhook.deliveries", ListDeliveries, Deliveries)
SEND_AGAIN = Rpc("rpc.coordinator.webhook.again", SendAgain, DeliveryView)
