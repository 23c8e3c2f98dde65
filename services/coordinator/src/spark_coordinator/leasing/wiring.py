"""The lease put together."""

from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.leasing import keys
from spark_coordinator.feature import Feature
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.drain import WorkOnTheBus
from spark_coordinator.leasing.draining import Draining
from spark_coordinator.leasing.keeper import LeaseKeeper
from spark_coordinator.leasing.leases import Leases
from spark_coordinator.leasing.numbering import told_before
from spark_coordinator.leasing.policy import LeasePolicy
from spark_coordinator.leasing.telling import event_of
from spark_coordinator.outbox import Outbox


@dataclass(frozen=True)
class LeasePart:
    """What the composition root adds, and what other features hold the lease with."""

    feature: Feature
    leases: Leases


def wire_lease(
    *, redis: Redis, bus: Bus, clock: Clock, policy: Callable[[], LeasePolicy]
) -> LeasePart:
    """Put the lease together; starts nothing."""
    outbox = Outbox(redis, keys.OUTBOX, bus, clock, event_of)
    book = LeaseBook(redis, policy, clock, lambda: told_before(bus))
    draining = Draining(book, WorkOnTheBus(bus))
    leases = Leases(book, draining, policy, clock, outbox.wake)
    keeper = LeaseKeeper(book, draining, clock, outbox.wake)
    loops = (keeper.run, outbox.run)
    feature = Feature(verbs=leases.verbs(), background=loops, checks=(keeper.check,))
    return LeasePart(feature, leases)
