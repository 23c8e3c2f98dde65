"""The webhooks as a process that tests kill: everything real, the waits short.

``python -m spark_coordinator.webhooks.testing.process`` with the environment of a coordinator.
"""

import asyncio

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.redis_access import connect_redis
from spark_common.settings import load_or_exit
from spark_coordinator.leading import Leadership
from spark_coordinator.settings import CoordinatorSettings
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.feature import WORK, assemble
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.log import DeliveryLog
from spark_coordinator.webhooks.posting import WebhookSender
from spark_coordinator.webhooks.resolving import SystemResolver
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.threads import OwnedThreads

CLAIM_SECONDS = 1.5
"""How long a killed leader is believed in."""
FAST = Backoff(first_seconds=0.05, longest_seconds=0.4)


async def live() -> None:
    """Run until killed."""
    settings, clock = load_or_exit(CoordinatorSettings), SystemClock()
    bus = await connect_bus(settings.bus, "coordinator", clock)
    redis = connect_redis(settings.redis, "coordinator")
    resolver, guard = SystemResolver(OwnedThreads()), TargetGuard()
    sender = WebhookSender(
        resolver, guard, clock, "spark-control/0", connect_seconds=0.2, total_seconds=0.25
    )
    feature = assemble(
        WebhookStore(redis),
        DeliveryLog(redis),
        bus,
        clock,
        lambda: settings.webhook,
        resolver,
        guard,
        sender,
        Leadership(redis, WORK, clock, CLAIM_SECONDS),
        FAST,
    )
    await bus.serve("coordinator", "1.0.0", "webhooks of tests", feature.verbs)
    await asyncio.gather(*(loop() for loop in feature.background))


if __name__ == "__main__":
    asyncio.run(live())
