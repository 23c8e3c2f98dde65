"""What a Spark said last outlives the swapper."""

from datetime import timedelta

import pytest

from spark_common.errors import HostUnreachableError, UnavailableError
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock
from spark_swapper.adapters.redis_looks import RedisLooks
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.scan.memory import Seen
from spark_swapper.scan.reply import DiskCopy, Look

SPARKS = (Spark("spark1", "Spark 1"), Spark("spark2", "Spark 2"))


class Memory:
    """A LookStore; away when a test says so."""

    def __init__(self) -> None:
        self.kept: dict[str, Seen] = {}
        self.away = False

    async def remember(self, host: str, seen: Seen) -> None:
        self._require()
        self.kept[host] = seen

    async def recall(self, host: str) -> Seen | None:
        self._require()
        return self.kept.get(host)

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("Redis is away")


async def test_a_restarted_swapper_knows_what_a_dead_host_had(hubs, folder_shell) -> None:
    clock, memory = FakeClock(), Memory()
    hubs["spark1"].add("org/name")
    await Hosts(folder_shell, SPARKS, clock, memory).look()
    seen_at = clock.now()
    await clock.advance(3600)
    folder_shell.trouble["spark1"] = HostUnreachableError("no route to host")
    again = Hosts(folder_shell, SPARKS, clock, memory)
    await again.recall()
    assert [sight.view().state for sight in again.sights] == ["unknown", "unknown"]
    await again.look()
    first, second = again.sights
    assert [copy.repo for copy in first.look.copies] == ["org/name"]
    assert (first.view().state, first.fresh, first.view().seen_at) == (
        "unreachable",
        False,
        seen_at,
    )
    assert second.view().seen_at == seen_at + timedelta(hours=1)


async def test_what_was_seen_now_is_never_replaced_by_what_was_kept(hubs, folder_shell) -> None:
    clock, memory = FakeClock(), Memory()
    memory.away = True
    hosts = Hosts(folder_shell, SPARKS, clock, memory)
    await hosts.look()
    memory.away = False
    old = Look(hostname="s", hub="/h", copies=(DiskCopy(repo="a/b", size_bytes=1, state="ready"),))
    memory.kept["spark1"] = Seen(old, clock.now())
    await hosts.recall()
    assert hosts.sights[0].look.copies == ()


async def test_a_store_that_is_away_is_asked_again(hubs, folder_shell) -> None:
    clock, memory = FakeClock(), Memory()
    old = Look(hostname="s", hub="/h", copies=(DiskCopy(repo="a/b", size_bytes=1, state="ready"),))
    memory.kept["spark1"] = Seen(old, clock.now())
    hosts = Hosts(folder_shell, SPARKS, clock, memory)
    memory.away = True
    await hosts.recall()
    assert hosts.sights[0].look is None
    memory.away = False
    await hosts.recall()
    assert hosts.sights[0].look == old


@pytest.mark.connected
async def test_redis_keeps_list_and_time(redis_server) -> None:
    redis = connect_redis(redis_server.settings, "test")
    try:
        await keeps_list_and_time(redis)
    finally:
        await redis.aclose()


async def keeps_list_and_time(redis) -> None:
    clock = FakeClock()
    look = Look(
        hostname="s", hub="/h", copies=(DiskCopy(repo="a/b", size_bytes=1, state="broken"),)
    )
    store = RedisLooks(redis)
    assert await store.recall("spark1") is None
    await store.remember("spark1", Seen(look, clock.now()))
    await clock.advance(30)
    await store.remember("spark1", Seen(look, clock.now()))
    assert await RedisLooks(redis).recall("spark1") == Seen(look, clock.now())
    assert 29 * 86_400 < await redis.ttl("sc:menu:look:spark1") <= 30 * 86_400
    await redis.delete("sc:menu:look:spark1")
    await store.remember("spark1", Seen(look, clock.now()))
    assert await store.recall("spark1") == Seen(look, clock.now())
    await redis.hset("sc:menu:look:spark1", "record", "{not json")
    assert await store.recall("spark1") is None
    await redis.hset("sc:menu:look:spark1", "version", "99")
    assert await store.recall("spark1") is None
