"""The API keys of one coordinator on a real Redis and a bus in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from redis.asyncio import Redis

from spark_common.contracts.api_keys import CREATE_KEY, READ_RING, CreateKey, NewKey, ReadRing, Ring
from spark_common.settings.policies import KeySettings
from spark_common.subjects import KEYS_CHANGED
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.api_keys.feature import api_keys


class Desk:
    """Asks as a gateway does; ``settings`` are the owner's."""

    def __init__(self, redis: Redis, broker: MemoryBroker, clock: FakeClock) -> None:
        self.redis = redis
        self.clock = clock
        self.settings = KeySettings()
        self.bus = MemoryBus("coordinator", broker)
        self.asker = MemoryBus("gateway", broker)
        self.hints: list[dict[str, Any]] = []
        feature, self.state = api_keys(redis, self.bus, clock, lambda: self.settings)
        self.verbs = feature.verbs

    async def create(self, name: str = "Alice's laptop", **given: Any) -> NewKey:
        return await self.asker.call(CREATE_KEY, CreateKey(name=name, **given))

    async def ring(self, known: int | None = None) -> Ring:
        return await self.asker.call(READ_RING, ReadRing(known_version=known))

    async def hear(self) -> None:
        async for _, body in self.asker.listen(KEYS_CHANGED):
            self.hints.append(json.loads(body)["data"])


@pytest_asyncio.fixture
async def desk(redis: Redis, broker: MemoryBroker, clock: FakeClock) -> AsyncIterator[Desk]:
    made = Desk(redis, broker, clock)
    await made.bus.serve("coordinator", "1", "test", made.verbs)
    hearing = asyncio.create_task(made.hear())
    await asyncio.sleep(0)
    yield made
    await end([hearing])
