"""The webhooks of one coordinator, running."""

from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.webhooks.testing import Bench


@pytest_asyncio.fixture
async def bench(
    redis: Redis, bus: MemoryBus, broker: MemoryBroker, clock: FakeClock
) -> AsyncIterator[Bench]:
    made = Bench(redis, bus, broker, clock)
    await made.start()
    yield made
    await end(made.tasks)
