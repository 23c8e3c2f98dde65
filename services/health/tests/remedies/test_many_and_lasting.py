"""Many victims, an hour with swaps in it, and budgets that outlive whoever counts them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from spark_common.contracts.deep_health import DeepResult
from spark_common.embedded import RedisServer
from spark_common.redis_access import connect_redis
from spark_common.settings.policies import RemedySettings
from spark_common.tasks import end
from spark_common.testing import FakeClock
from spark_health.deep.ports import Outcome, Place
from spark_health.deep.runner import DeepRunner
from spark_health.deep.testing.fakes import WELL, FakeCheck, MemoryDeepStore
from spark_health.remedies import keys
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.remedying import Remedies
from spark_health.remedies.testing.fakes import FakeContainers, FakeLeases, FakeScene

pytestmark = pytest.mark.connected
GPU = Outcome("failing", "its GPU failed (HTTP 500)", 12.0, "gpu_error", evidence=("HTTP 500",))
CUT = Outcome("failing", "it closed the connection", 3.0, "cut_off", evidence=("closed",))
BOX = "parakeet-asr"


class Health:
    """The remedies of one process of health after another, on the same Sparks."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.scene = FakeScene()
        self.leases = FakeLeases(self.scene)
        self.containers = FakeContainers(self.clock)
        self.containers.start("spark1", BOX)

    @asynccontextmanager
    async def process(self, server: RedisServer) -> AsyncIterator[Remedies]:
        """Live inside; what was in memory is gone afterwards."""
        redis = connect_redis(server.settings, "health")
        yield Remedies(
            book=RemedyBook(redis),
            containers=self.containers,
            leases=self.leases,
            scene=self.scene,
            clock=self.clock,
            policy=RemedySettings,
            recheck=lambda _, __: None,
        )
        await redis.aclose()

    async def stuck(self, remedies: Remedies, service: str = "parakeet") -> None:
        place = Place(service, service, "http://127.0.0.9:1", "spark1", BOX)
        result = DeepResult(state="failing", sentence="", at=self.clock.now())
        await remedies.heard(place, result, GPU)


async def test_ten_victims_of_one_container_at_once_are_one_restart(
    redis_server: RedisServer,
) -> None:
    health = Health()
    async with health.process(redis_server) as one, health.process(redis_server) as two:
        names = [f"victim-{number}" for number in range(10)]
        await asyncio.gather(*(health.stuck(each, name) for each in (one, two) for name in names))
        await asyncio.gather(*(each.turn() for each in (one, two, one, two)))
        await health.clock.advance(30)
        await asyncio.gather(one.turn(), two.turn())
    assert health.containers.journal == [("spark1", BOX)]


async def test_a_budget_outlives_health_and_a_redis_that_is_killed(tmp_path: Path) -> None:
    server, health = RedisServer(tmp_path), Health()
    for number in range(5):
        # Each time another Redis process on the same file, and another process of health.
        await server.start()
        async with health.process(server) as remedies:
            await health.stuck(remedies)
            await remedies.turn()
            await health.clock.advance(300)
        redis = connect_redis(server.settings, "test")
        for key in (keys.tries(f"spark1/{BOX}"), keys.tries_of("parakeet")):
            for member, score in await redis.zrange(key, 0, -1, withscores=True):
                # The rest between two is over, by the clock of the record.
                await redis.zadd(key, {member: score - 300_000})
        told = await redis.llen(keys.OUTBOX)
        await redis.aclose()
        assert len(health.containers.journal) == min(3, number + 1)
        assert told == min(4, number + 1), "three restarts, and one circuit that opens"
        await server.kill()


async def test_an_hour_of_work_with_swaps_in_it_restarts_nothing(
    redis_server: RedisServer,
) -> None:
    """Swaps cut vLLM off in the middle of checks; speech blocks, loads, fails once in a while."""
    health = Health()
    clock, scene = health.clock, health.scene
    vllm, speech = FakeCheck("vllm", clock), FakeCheck("parakeet", clock)
    for check in (vllm, speech):
        health.containers.start("spark1", str(check.place.container))
    speech.seconds = 20.0
    busy = Outcome("busy", "busy", trouble="silent")
    loading = Outcome("loading", "it is loading its model (HTTP 503)")
    speech.outcomes = [WELL, busy, WELL, loading, busy, busy, GPU, WELL, busy, WELL]
    async with health.process(redis_server) as remedies:
        runner = DeepRunner(lambda: [vllm, speech], MemoryDeepStore(), scene, clock, remedies.heard)

        async def swap_now_and_then() -> None:
            while True:
                await clock.sleep(297)
                # Just as a check is under way: it is cut off, and so would be the second job.
                vllm.outcomes = [CUT, CUT]
                scene.swaps["spark1"] = "a swap to Gemma runs on it"
                await clock.sleep(150)
                scene.swaps.clear()
                vllm.outcomes = []

        loops = [runner.run(), remedies.run(), swap_now_and_then()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        await clock.advance(3600)
        await end(tasks)
        assert len(speech.jobs) >= 6
    assert health.containers.journal == []
    assert health.leases.log == []
