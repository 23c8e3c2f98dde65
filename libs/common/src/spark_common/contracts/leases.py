"""The lease as the coordinator answers about it: who may decide what is loaded, until when."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, SecretStr, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import SwapId, Text

Priority: TypeAlias = Literal["human", "interactive", "batch"]
"""Classes of the line, most urgent first; waiting makes a caller more urgent (ageing)."""

Note = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]
OrderKey = Annotated[SecretStr, Field(min_length=16, max_length=1024)]
"""Chosen at random by the caller, for one order: as secret as the token that comes of it."""

HOLDER_FOR_RESTARTS: Final = "health"
"""Who holds it for the moment in which a container that is stuck is restarted."""


class AcquireLease(Request):
    """Take the lease, extend it (with its token), take up a grant, or stand in line."""

    holder: Text
    """A label for people: who holds it."""
    reason: Note = ""
    ttl_seconds: float = Field(default=3600.0, ge=10, le=24 * 3600, allow_inf_nan=False)
    token: Token | None = None
    """Of the lease or of the place in line, when the caller has one already."""
    key: OrderKey | None = None
    """Makes a repeat of this order, whose answer was lost, the same lease or place with the same
    token: what the repeat does is what asking again with that token does."""
    wait: bool = False
    """Stand in line when somebody else holds it or waits."""
    priority: Priority = "interactive"
    max_wait_seconds: float = Field(default=3600.0, ge=1, le=24 * 3600, allow_inf_nan=False)
    force: bool = False
    """Take it from whoever holds it; a person's decision, told as ``lock.forced``."""
    requested_by: Text | None = None
    """Who decided that, when ``force`` is set."""
    schedule_id: SwapId | None = None
    """The schedule for whose run it is wanted; this is how a registered job says it came."""


class ReleaseLease(Request):
    """Give the lease, a grant or a place in line back."""

    token: Token | None = None
    force: bool = False
    """Release it whoever holds it; a person's decision, told as ``lock.forced``."""
    requested_by: Text = "someone"


class GetLease(Request):
    """Ask how the lease stands. With a token it also says that its owner is still there."""

    token: Token | None = None


class RequestYield(Request):
    """Ask the holder, politely, to release the lease; nothing is taken away."""

    requested_by: Text
    by: datetime | None = None
    """By when it would be needed."""
    note: Note = ""


class Yield(Reply):
    """A standing request to the holder."""

    requested_by: str
    by: datetime | None = None
    note: str = ""
    at: datetime


class Waiter(Reply):
    """One place in line. Times in seconds; never a token."""

    ticket: str
    holder: str
    reason: str = ""
    priority: Priority
    position: int = Field(ge=1)
    eta_seconds: float | None = None
    """When it is served at the latest, if all before it use their whole time."""
    ttl_seconds: float
    since: datetime
    wait_until: datetime
    """When it leaves the line by itself."""


class LeaseView(Reply):
    """The lease and its line as everybody sees them; never a token."""

    state: Literal["free", "held", "granted", "draining"]
    """``granted``: given to the first in line, who has not taken it up yet; ``draining``: over,
    but answers or a swap of its time are not finished, so nobody else may start."""
    holder: str | None = None
    reason: str = ""
    priority: Priority | None = None
    since: datetime | None = None
    expires_at: datetime | None = None
    """For people; computed from ``remaining_seconds``, which is Redis' own."""
    remaining_seconds: float | None = None
    epoch: int = Field(ge=0)
    """Of the lease, or the latest one."""
    yields: list[Yield] = []
    queue: list[Waiter] = []
    yours: Literal["lease", "place"] | None = None
    """What the token that came with the question is good for."""
    ticket: str | None = None
    """Of the caller's place in line, when ``yours`` is ``place``."""


class LeaseGrant(Reply):
    """What an acquirer got: the lease, or a place in line. The only reply with a token in it."""

    state: Literal["held", "waiting"]
    token: str = Field(repr=False)
    """The secret that proves the lease or the place; kept hashed; told again only to
    the same order, by its key."""
    epoch: int | None = None
    """Number of this lease; absent while waiting."""
    expires_at: datetime | None = None
    remaining_seconds: float | None = None
    extended: bool = False
    """The caller held it already."""
    ticket: str | None = None
    position: int | None = None
    eta_seconds: float | None = None
    seen_within_seconds: float | None = None
    """While waiting: ask again (``GET`` with the token) at least this often, or lose the place."""
    take_up_seconds: float | None = None
    """While waiting: how long a grant stays open before it passes on."""


class Released(Reply):
    """What was given back."""

    released: Literal["lease", "place", "nothing"]
    holder: str | None = None
    epoch: int = Field(ge=0)


ACQUIRE_LEASE = Rpc("rpc.coordinator.lock.acquire", AcquireLease, LeaseGrant)
RELEASE_LEASE = Rpc("rpc.coordinator.lock.release", ReleaseLease, Released)
GET_LEASE = Rpc("rpc.coordinator.lock.get", GetLease, LeaseView)
REQUEST_YIELD = Rpc("rpc.coordinator.lock.yield", RequestYield, LeaseView)

LeaseEnd: TypeAlias = Literal["released", "expired", "forced", "not_taken_up"]
"""How a lease ended; with ``extended`` and ``acquired`` the life of every lease."""
