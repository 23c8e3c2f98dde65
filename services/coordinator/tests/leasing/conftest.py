"""The lease on a real Redis whose time the test moves."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from spark_common.contracts.leases import AcquireLease, GetLease, ReleaseLease
from spark_common.embedded import RedisServer
from spark_common.leasing import LeaseGate, LeaseScripts, keys
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock
from spark_common.testing.lease_time import LUA, LeaseTime
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.drain import Remaining
from spark_coordinator.leasing.draining import Draining
from spark_coordinator.leasing.keeper import LeaseKeeper
from spark_coordinator.leasing.leases import Leases
from spark_coordinator.leasing.policy import LeasePolicy
from spark_coordinator.leasing.telling import event_of

# Test files are imported without their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))


class FakeWork:
    """What runs is what the test says."""

    def __init__(self) -> None:
        self.swaps: set[int] = set()
        self.answers = 0

    async def remaining(self, epoch: int) -> Remaining:
        return Remaining(swap=epoch in self.swaps, answers=self.answers > 0)


@dataclass
class LeaseBench:
    """The parts, and short ways to use them."""

    redis: Redis
    time: LeaseTime
    leases: Leases
    keeper: LeaseKeeper
    gate: LeaseGate
    book: LeaseBook
    work: FakeWork = field(default_factory=FakeWork)
    policy: LeasePolicy = field(default_factory=LeasePolicy)
    floor: int = 0

    async def take(self, holder="Alice", **fields):
        return await self.leases.acquire(AcquireLease(holder=holder, **fields))

    async def give(self, token=None, **fields):
        return await self.leases.release(ReleaseLease(token=token, **fields))

    async def see(self, token=None):
        return await self.leases.get(GetLease(token=token))

    async def later(self, seconds):
        """Let time pass the way it does: somebody looks all the time."""
        while seconds > 0:
            step = min(seconds, 5)
            await self.time.pass_(step)
            await self.keeper.look()
            seconds -= step

    async def told(self):
        """Return the events that were written since the last time, in order."""
        rows = await self.redis.lrange(keys.OUTBOX, 0, -1)
        await self.redis.delete(keys.OUTBOX)
        return [event_of(json.loads(row)).message for row in rows]

    async def words(self):
        """Return their names, without the pictures of the line."""
        return [one.type.partition(".")[2] for one in await self.told() if one.type != "lock.queue"]


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Yield one server for all tests that do not harm it; it has a loop of its own."""
    server = RedisServer(tmp_path_factory.mktemp("lease-redis"))
    with asyncio.Runner() as runner:
        runner.run(server.start())
        yield server
        runner.run(server.kill())


@pytest_asyncio.fixture
async def redis(shared_redis: RedisServer) -> AsyncIterator[Redis]:
    """Return a client of an empty Redis."""
    client = connect_redis(shared_redis.settings, "coordinator")
    await client.delete(*keys.BOOK)
    yield client
    await client.aclose()


async def a_lease(redis: Redis, clock: FakeClock) -> LeaseBench:
    """Put the lease together on a Redis of anybody's."""
    time, work, scripts = LeaseTime(redis), FakeWork(), LeaseScripts(redis, LUA)
    await time.start()

    def policy() -> LeasePolicy:
        return bench.policy

    async def floor() -> int:
        return bench.floor

    book = LeaseBook(redis, policy, clock, floor, scripts)
    draining = Draining(book, work)
    leases = Leases(book, draining, policy, clock, lambda: None)
    keeper = LeaseKeeper(book, draining, clock, lambda: None)
    bench = LeaseBench(redis, time, leases, keeper, LeaseGate(redis, scripts), book, work)
    return bench


@pytest_asyncio.fixture
async def lease(redis: Redis, clock: FakeClock) -> LeaseBench:
    """Return the lease on the shared Redis."""
    return await a_lease(redis, clock)


@pytest.fixture
def make_lease() -> Callable[[Redis, FakeClock], Awaitable[LeaseBench]]:
    """Return what puts one together on another Redis."""
    return a_lease
