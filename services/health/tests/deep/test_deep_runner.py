"""When checks are done: every five minutes, on order, one at a time, never beside a swap."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from spark_common.contracts.deep_health import MOST_KEPT, DeepResult, GetDeepHealth, RunDeepCheck
from spark_common.errors import NotFoundError
from spark_common.events import HealthProbeRequested
from spark_common.ids import new_id
from spark_common.subjects import HEALTH_PROBE
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBus
from spark_health.deep.ordering import ProbeOrders
from spark_health.deep.ports import Outcome, Place
from spark_health.deep.runner import DeepRunner
from spark_health.deep.store import RedisDeepStore
from spark_health.deep.testing.fakes import WELL, FakeCheck, MemoryDeepStore
from spark_health.deep.verbs import DeepVerbs
from spark_health.remedies.testing.fakes import FakeScene

BROKEN = Outcome("failing", "HTTP 500", 9.0, "server_error", evidence=("HTTP 500",))
GPU = Outcome("failing", "its GPU failed", 9.0, "gpu_error", evidence=("HTTP 500", "CUDA error: x"))


async def nothing(place: Place, latest: DeepResult | None) -> None:
    """Know of no remedy."""


class Bench:
    """Two services and whoever checks them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.scene, self.store = clock, FakeScene(), MemoryDeepStore()
        self.speech = FakeCheck("parakeet", clock)
        self.vectors = FakeCheck("qdrant", clock, "spark2")
        self.heard: list[tuple[str, Outcome]] = []
        self.runner = self.process()
        self.verbs = DeepVerbs(self.runner, self.store, clock, nothing)

    def process(self) -> DeepRunner:
        async def hear(place: Place, result: DeepResult, outcome: Outcome) -> DeepResult:
            self.heard.append((place.service, outcome))
            return result

        return DeepRunner(
            lambda: [self.speech, self.vectors], self.store, self.scene, self.clock, hear
        )

    def states(self, service: str) -> list[str]:
        return [one.state for one in self.store.results[service]]


@pytest_asyncio.fixture
async def bench(clock: FakeClock) -> AsyncIterator[Bench]:
    made = Bench(clock)
    loop = asyncio.create_task(made.runner.run())
    yield made
    await end([loop])


async def test_every_five_minutes_for_each_service(bench: Bench) -> None:
    await bench.clock.advance(3600)
    for check in (bench.speech, bench.vectors):
        assert 12 <= len(check.jobs) <= 13
        assert check.jobs[0] < 1
        gaps = [b - a for a, b in zip(check.jobs, check.jobs[1:], strict=False)]
        assert min(gaps) >= 300
    assert set(bench.states("parakeet")) == {"ok"}


async def test_two_processes_do_no_more_than_one(bench: Bench) -> None:
    other = asyncio.create_task(bench.process().run())
    await bench.clock.advance(3600)
    assert len(bench.speech.jobs) <= 13
    assert bench.speech.most_at_once == 1
    await end([other])


async def test_whoever_asks_meanwhile_joins_the_check_that_runs(bench: Bench) -> None:
    await bench.clock.advance(10)
    bench.speech.jobs.clear()
    asked = [
        asyncio.create_task(bench.verbs.run(RunDeepCheck(service="parakeet", requested_by=who)))
        for who in ("Alice", "Bob", "Alice")
    ]
    await bench.clock.advance(5)
    views = [await one for one in asked]
    assert len(bench.speech.jobs) == 1
    assert {view.last.at for view in views if view.last} == {views[0].last and views[0].last.at}
    assert views[0].last is not None
    assert (views[0].last.trigger, views[0].last.requested_by) == ("manual", "Alice")


async def test_a_slow_check_goes_on_when_nobody_waits_any_more(bench: Bench) -> None:
    await bench.clock.advance(10)
    bench.speech.seconds = 30
    asked = asyncio.create_task(bench.verbs.run(RunDeepCheck(service="parakeet", wait_seconds=5)))
    await bench.clock.advance(6)
    view = await asked
    assert view.running
    await bench.clock.advance(30)
    [shown] = (await bench.verbs.get(GetDeepHealth(service="parakeet"))).services
    assert not shown.running
    assert shown.last is not None
    assert shown.last.trigger == "manual"


async def test_nothing_is_tried_beside_a_swap_on_that_host(bench: Bench) -> None:
    await bench.clock.advance(10)
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    await bench.clock.advance(700)
    assert len(bench.speech.jobs) == 1
    assert bench.states("parakeet") == ["skipped", "skipped", "ok"]
    assert len(bench.vectors.jobs) == 3
    bench.scene.swaps.clear()
    await bench.clock.advance(300)
    assert bench.states("parakeet")[0] == "ok"


@pytest.mark.parametrize(
    ("outcomes", "trouble", "state"),
    [
        ([BROKEN, WELL], None, "ok"),
        ([BROKEN, Outcome("loading", "HTTP 503")], None, "loading"),
        ([BROKEN, BROKEN], "server_error", "failing"),
        ([BROKEN, GPU], "gpu_error", "failing"),
        ([GPU, BROKEN], "gpu_error", "failing"),
        ([GPU, WELL], None, "ok"),
    ],
)
async def test_suspicion_needs_a_second_job(
    bench: Bench, outcomes: list[Outcome], trouble: str | None, state: str
) -> None:
    bench.speech.outcomes = list(outcomes)
    await bench.clock.advance(20)
    assert len(bench.speech.jobs) == 2
    [heard] = [outcome for service, outcome in bench.heard if service == "parakeet"]
    assert (heard.trouble, heard.state) == (trouble, state)


async def test_a_swap_that_begins_between_both_jobs_ends_the_suspicion(bench: Bench) -> None:
    bench.speech.outcomes = [BROKEN, BROKEN]
    await bench.clock.advance(5)
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    await bench.clock.advance(15)
    [heard] = [outcome for service, outcome in bench.heard if service == "parakeet"]
    assert heard.trouble is None


async def test_orders_on_the_bus_begin_a_check_at_once(bench: Bench, bus: MemoryBus) -> None:
    orders = asyncio.create_task(ProbeOrders(bus, bench.runner, bench.store, bench.clock).run())
    await bench.clock.advance(20)
    bench.speech.jobs.clear()
    bench.vectors.jobs.clear()
    for target in ("parakeet", "speech", "nonsense", "all"):
        order = HealthProbeRequested(target=target, requested_by="audio-proxy")
        await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    await bench.clock.advance(5)
    assert len(bench.speech.jobs) == 1, "one flight, whoever asked"
    assert len(bench.vectors.jobs) == 1
    assert bench.store.results["parakeet"][0].requested_by == "audio-proxy"
    await end([orders])


async def test_a_service_that_is_not_checked_is_named_as_such(bench: Bench) -> None:
    with pytest.raises(NotFoundError, match="parakeet, qdrant"):
        await bench.verbs.run(RunDeepCheck(service="nobody"))
    with pytest.raises(NotFoundError):
        await bench.verbs.get(GetDeepHealth(service="nobody"))


async def test_what_was_stuck_before_a_start_is_looked_at_at_once(clock: FakeClock) -> None:
    bench = Bench(clock)
    stuck = DeepResult(state="wedged", sentence="stuck", at=clock.now())
    await bench.store.add("parakeet", stuck)
    await bench.store.add("qdrant", stuck.model_copy(update={"state": "ok"}))
    loop = asyncio.create_task(bench.runner.run())
    await clock.advance(8)
    assert len(bench.speech.jobs) == 1
    assert bench.vectors.jobs == []
    await end([loop])


@pytest.mark.connected
async def test_results_in_redis_are_bounded_and_survive_junk(redis: Redis) -> None:
    clock, store = FakeClock(), RedisDeepStore(redis)
    for n in range(MOST_KEPT + 5):
        state = "ok" if n == 1 else "busy"
        await store.add("kokoro", DeepResult(state=state, sentence=str(n), at=clock.now()))
    assert len(await store.latest("kokoro", 1000)) == MOST_KEPT
    assert (await store.latest("kokoro", 1))[0].sentence == str(MOST_KEPT + 4)
    assert await store.last_ok("kokoro") == clock.now()
    await redis.lpush("sc:deep:results:kokoro", "junk")
    assert len(await store.latest("kokoro", 2)) == 1
    assert await store.take_off("kokoro", "a", 60)
    assert not await store.take_off("kokoro", "b", 60)
    await store.land("kokoro", "b")
    assert not await store.take_off("kokoro", "b", 60)
    await store.land("kokoro", "a")
    assert await store.take_off("kokoro", "b", 60)
