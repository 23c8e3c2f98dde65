"""A coordinator that answers about the lease from memory, and tells of it as the real one does."""

from datetime import UTC, datetime
from typing import Any

from spark_common import subjects
from spark_common.bus import Bus, Serving
from spark_common.contracts.leases import GET_LEASE, GetLease, LeaseView
from spark_common.events import LockAcquired, ScheduleMissed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeCoordinator:
    """Says how the lease stands; a test sets it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.lease = LeaseView(state="free", epoch=0)

    async def serve(self) -> None:
        """Answer from now on."""
        verbs = (Serving(GET_LEASE, self.get),)
        await self.bus.serve("coordinator", "1.0.0", "a coordinator of tests", verbs)

    async def get(self, request: GetLease) -> LeaseView:
        """Answer as it was set."""
        return self.lease

    def hold(self, holder: str, **changes: Any) -> None:
        """Somebody holds it; nobody is told."""
        fields: dict[str, Any] = {
            "state": "held", "holder": holder, "epoch": 7, "remaining_seconds": 600.0,
            "expires_at": NOW, "since": NOW,
        }  # fmt: skip
        self.lease = LeaseView(**(fields | changes))

    async def tell_acquired(self, holder: str) -> None:
        """Tell of a new holder."""
        event = LockAcquired(epoch=7, holder=holder, at=NOW, ttl_seconds=600.0, expires_at=NOW)
        await self.bus.publish_durable(subjects.lock_event("acquired"), event, id="acquired-7")

    async def tell_missed(self) -> None:
        """Tell of a run that did not happen."""
        event = ScheduleMissed(
            schedule_id="nightly", name="nightly", kind="outside", owner="Alice", at=NOW,
            run_id="nightly-1", nominal=NOW, reason="It never asked.",
        )  # fmt: skip
        await self.bus.publish_durable(subjects.schedule_event("missed"), event, id="missed-1")
