"""What runs of schedules need of the rest of the coordinator."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from spark_common.contracts.leases import (
    AcquireLease,
    GetLease,
    LeaseGrant,
    LeaseView,
    Released,
    ReleaseLease,
)


class TakesLease(Protocol):
    """The lease, as everybody takes it. Every method may raise UnavailableError."""

    async def acquire(self, request: AcquireLease) -> LeaseGrant:
        """Take, extend, take up a grant, or stand in line; raises LeaseHeldError, ConflictError."""
        ...

    async def release(self, request: ReleaseLease) -> Released:
        """Give back a lease or a place in line; raises LeaseHeldError for somebody else's token."""
        ...

    async def get(self, request: GetLease) -> LeaseView:
        """Return how the lease and its line stand."""
        ...

    def on_refusal(self, listener: Callable[[AcquireLease], Awaitable[None]]) -> None:
        """Let somebody hear of those who asked and neither got it nor a place in line."""
        ...
