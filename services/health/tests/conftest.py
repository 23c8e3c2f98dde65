"""Real servers on free ports, and the parts of health on them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from spark_common.embedded import RedisServer
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_common.testing.fixtures import nats_server, redis_server

__all__ = ["nats_server", "redis_server"]


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """Return a client of a Redis that is this test's own."""
    client = connect_redis(redis_server.settings, "health")
    yield client
    await client.aclose()


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that only moves when it is told to."""
    return FakeClock()


@pytest.fixture
def broker(clock: FakeClock) -> MemoryBroker:
    """Return a bus in memory that keeps the test's time."""
    return MemoryBroker(clock=clock)


@pytest.fixture
def bus(broker: MemoryBroker) -> MemoryBus:
    """Return health's end of that bus."""
    return MemoryBus("health", broker)
