"""The gate in a real Redis: one count for all replicas, the most urgent of all lines first."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from spark_audio_proxy import keys
from spark_audio_proxy.permits.ports import Held, Limits, Want
from spark_audio_proxy.permits.redis_gate import RedisGate
from spark_common.embedded import RedisServer
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected
LIMITS = Limits(hearing=2, ceiling=3)


def want(
    name: str, kind: str = "hearing", rank: int = 0, waited: float = 0.0, lease: float = 600.0
) -> Want:
    return Want(name, kind, rank, waited, lease)  # type: ignore[arg-type]


class Replica:
    """One process of audio-proxy, as the gate sees it."""

    def __init__(self, redis: Redis, name: str, stale_seconds: float = 600.0) -> None:
        self.gate = RedisGate(redis, name, stale_seconds)

    async def asks(self, one: Want | None, freed=(), held=(), waiting: int = 1):
        return await self.gate.turn(one, held=held, freed=freed, waiting=waiting, limits=LIMITS)


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect_redis(redis_server.settings, "test")
    yield client
    await client.aclose()


async def test_the_cap_is_that_of_all_replicas(redis: Redis) -> None:
    one, two = Replica(redis, "one"), Replica(redis, "two")
    assert (await one.asks(want("a"))).granted
    assert (await two.asks(want("b"))).granted
    refused = await one.asks(want("c"))
    assert (refused.granted, refused.in_use) == (False, 2)
    assert (await two.asks(want("s", "speaking"))).granted
    assert not (await two.asks(want("t", "speaking", waited=1))).granted
    # The last place belongs to who waits already at the other one.
    assert not (await one.asks(want("c"), freed=["hearing:b"])).granted
    # Now there is room for both of them.
    assert (await one.asks(want("c"), freed=["hearing:a"])).granted
    assert (await two.asks(want("t", "speaking"))).granted


async def test_the_first_of_all_lines_goes_first(redis: Redis) -> None:
    one, two = Replica(redis, "one"), Replica(redis, "two")
    for name in ("a", "b"):
        assert (await one.asks(want(name))).granted
    assert not (await two.asks(want("batch", rank=2, waited=9), waiting=5)).granted
    assert not (await one.asks(want("urgent", rank=0))).granted
    # Room for one: whoever asks first, the more urgent one gets it.
    later = await two.asks(want("batch", rank=2, waited=9), freed=["hearing:a"], waiting=5)
    assert (later.granted, later.in_use) == (False, 1)
    told = await one.asks(want("urgent", rank=0))
    assert (told.granted, told.others_waiting) == (True, 5)
    # The same rank: who waits longer.
    assert not (await one.asks(want("new", rank=2, waited=1))).granted
    assert (await two.asks(want("batch", rank=2, waited=9), freed=["hearing:b"])).granted


async def test_a_dead_replica_keeps_neither_permit_nor_place_for_ever(redis: Redis) -> None:
    dead, lives = Replica(redis, "dead"), Replica(redis, "lives", 0.2)
    await dead.asks(want("x", lease=0.2))
    await dead.asks(want("y", lease=0.2))
    await dead.asks(want("z", rank=0, waited=50))

    async def granted() -> bool:
        return (await lives.asks(want("a", rank=2))).granted

    await until(granted, "what the dead one had is over")


async def test_what_was_held_without_redis_counts_when_it_is_back(
    redis: Redis, redis_server: RedisServer
) -> None:
    replica = Replica(redis, "one")
    assert (await replica.asks(want("a"))).granted
    await redis_server.kill()
    with pytest.raises(UnavailableError):
        await replica.asks(want("b"))
    await redis_server.start()
    held = [Held("a", "hearing", 600.0), Held("alone", "hearing", 600.0)]

    async def refused() -> bool:
        try:
            verdict = await replica.asks(want("c"), held=held)
        except UnavailableError:
            return False
        return not verdict.granted

    await until(refused, "both count")
    assert await redis.pttl(keys.PERMITS) > 0
