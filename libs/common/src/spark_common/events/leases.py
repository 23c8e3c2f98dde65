"""The life of the lease, and the line of those who wait for it."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from spark_common.contracts.leases import LeaseEnd, Priority, Waiter
from spark_common.events.message import Event


class LockEvent(Event):
    """Something that happened to the lease; never the token."""

    epoch: int = Field(ge=0)
    """Number of the lease it is about; it only grows."""
    holder: str
    at: datetime


class LockAcquired(LockEvent):
    """Somebody holds the lease now. Times in seconds."""

    type: ClassVar[str] = "lock.acquired"

    reason: str = ""
    priority: Priority = "interactive"
    ttl_seconds: float
    expires_at: datetime
    ticket: str | None = None
    """Of the place in line it came from."""
    waited_seconds: float = 0.0
    schedule_id: str | None = None


class LockExtended(LockEvent):
    """The holder keeps it longer."""

    type: ClassVar[str] = "lock.extended"

    ttl_seconds: float
    expires_at: datetime


class LockExpiring(LockEvent):
    """It ends soon: at 60 s before the end, or at half of a shorter time."""

    type: ClassVar[str] = "lock.expiring"

    remaining_seconds: float
    expires_at: datetime
    waiting: int = 0
    """How many stand in line."""


class LockReleased(LockEvent):
    """The holder gave it back."""

    type: ClassVar[str] = "lock.released"

    held_seconds: float


class LockExpired(LockEvent):
    """Its time was over; what still runs may finish before anybody else starts."""

    type: ClassVar[str] = "lock.expired"

    held_seconds: float


class LockForced(LockEvent):
    """A person decided over the holder's head."""

    type: ClassVar[str] = "lock.forced"

    action: Literal["release", "take", "swap"]
    requested_by: str
    held_seconds: float


class LockFreed(LockEvent):
    """After the end of a lease: nothing of its time runs any more, the next one may start."""

    type: ClassVar[str] = "lock.freed"

    ended: LeaseEnd
    drain_seconds: float = 0.0
    cut: bool = False
    """The drain time was over before the work was."""


class LockQueued(LockEvent):
    """Somebody stands in line now; ``epoch`` is of the lease waited for."""

    type: ClassVar[str] = "lock.queued"

    ticket: str
    priority: Priority
    position: int
    eta_seconds: float | None = None


class LockQueueChanged(Event):
    """The line as it stands now, after somebody came, left, moved or was served."""

    type: ClassVar[str] = "lock.queue"

    epoch: int = Field(ge=0)
    queue: list[Waiter] = []
    at: datetime


class LockGranted(LockEvent):
    """The first in line may take it up; not done in time, it passes on."""

    type: ClassVar[str] = "lock.granted"

    ticket: str
    take_up_by: datetime


class LockDropped(LockEvent):
    """Somebody left the line without the lease."""

    type: ClassVar[str] = "lock.dropped"

    ticket: str
    why: Literal["left", "disappeared", "waited_out", "not_taken_up"]


class LockYieldRequested(LockEvent):
    """Somebody asks the holder to release it; nothing is taken away."""

    type: ClassVar[str] = "lock.yield_requested"

    requested_by: str
    by: datetime | None = None
    note: str = ""
