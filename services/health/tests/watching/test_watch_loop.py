"""The loop over probes: nobody waits for another, an outage loses nothing, an hour is quiet."""

import asyncio
import itertools
import random

import pytest
import pytest_asyncio

from spark_common.contracts.health import Maintenance
from spark_common.events import HealthTransition
from spark_common.subjects import health_transition
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_health.watching.testing import (
    FakeProbe,
    MemoryMaintenance,
    MemoryStandings,
    MemoryUptime,
    Silence,
)
from spark_health.watching.watch import LONGEST_LOOK_SECONDS, Watch


class Bench:
    """A watch on fakes that can be killed and started again."""

    def __init__(self, clock: FakeClock, bus: MemoryBus) -> None:
        self.clock, self.bus = clock, bus
        self.store, self.uptime = MemoryStandings(), MemoryUptime()
        self.maintenance = MemoryMaintenance()
        self.probes = [
            FakeProbe("spark1", clock),
            FakeProbe("spark2", clock),
            FakeProbe("parakeet", clock, host="spark1"),
            FakeProbe("qdrant", clock, host="spark2"),
        ]
        self.watch = self.made()
        self.task: asyncio.Task[None] | None = None

    def made(self) -> Watch:
        return Watch(
            lambda: self.probes,
            standings=self.store,
            uptime=self.uptime,
            maintenance=self.maintenance,
            teller=Silence(),
            bus=self.bus,
            clock=self.clock,
        )

    def probe(self, name: str) -> FakeProbe:
        return next(one for one in self.probes if one.target.name == name)

    def view(self, name: str):
        return self.watch.view(name)

    async def start(self) -> None:
        self.watch = self.made()
        self.task = asyncio.create_task(self.watch.run())
        await self.clock.advance(0.5)

    async def kill(self) -> None:
        if self.task is not None:
            await end([self.task])


@pytest_asyncio.fixture
async def bench():
    clock = FakeClock()
    found = Bench(clock, MemoryBus("health", MemoryBroker(clock=clock)))
    await found.start()
    yield found
    await found.kill()


async def test_a_host_that_freezes_is_one_transition_and_its_services_follow(bench):
    await bench.clock.advance(20)
    for name in ("spark1", "parakeet"):
        bench.probe(name).state = "down"
    await bench.clock.advance(60)
    assert bench.store.told == [("spark1", "up", "down")]
    assert (bench.view("parakeet").state, bench.view("parakeet").because) == ("down", "spark1")
    assert bench.view("spark2").state == "up"
    for name in ("spark1", "parakeet"):
        bench.probe(name).state = "up"
    await bench.clock.advance(12)
    assert bench.store.told == [("spark1", "up", "down"), ("spark1", "down", "up")]
    assert bench.view("parakeet").state == "up"


async def test_a_service_that_dies_alone_is_its_own_transition(bench):
    await bench.clock.advance(20)
    bench.probe("qdrant").state = "down"
    await bench.clock.advance(30)
    assert bench.store.told == [("qdrant", "up", "down")]


async def test_a_service_that_stays_away_after_its_host_is_back_is_told_then(bench):
    await bench.clock.advance(20)
    for name in ("spark1", "parakeet"):
        bench.probe(name).state = "down"
    await bench.clock.advance(60)
    bench.probe("spark1").state = "up"
    await bench.clock.advance(30)
    assert bench.store.told[1:] == [("spark1", "down", "up"), ("parakeet", "up", "down")]


@pytest.mark.parametrize("holds_on", [False, True])
async def test_a_probe_that_hangs_delays_nobody_and_is_never_green(bench, holds_on):
    await bench.clock.advance(20)
    hanging = bench.probe("parakeet")
    hanging.hangs, hanging.holds_on = True, holds_on
    before = bench.probe("qdrant").looks
    await bench.clock.advance(60)
    assert bench.probe("qdrant").looks - before == 12
    assert hanging.looks <= 5 + 60 // LONGEST_LOOK_SECONDS + 1
    assert bench.view("parakeet").state == "unknown"
    assert bench.store.told == [("parakeet", "up", "unknown")]
    hanging.hangs = False
    await bench.clock.advance(30)
    assert bench.store.told[1:] == [("parakeet", "unknown", "up")]


async def test_a_probe_that_breaks_is_unknown_with_the_reason(bench):
    bench.probe("parakeet").breaks = KeyError("oops")
    await bench.clock.advance(40)
    view = bench.view("parakeet")
    assert view.state == "unknown"
    bench.probe("parakeet").breaks = None
    await bench.clock.advance(6)
    assert bench.view("parakeet").state == "up"


async def test_each_has_its_own_interval(bench):
    bench.probes.append(FakeProbe("slow", bench.clock, every_seconds=300))
    await bench.clock.advance(600)
    assert bench.probe("slow").looks == 2
    assert bench.probe("spark1").looks >= 119


async def test_an_outage_of_the_record_loses_no_transition_and_tells_none_twice(bench):
    await bench.clock.advance(20)
    bench.store.away = True
    bench.probe("qdrant").state = "down"
    await bench.clock.advance(60)
    assert bench.store.told == []
    bench.store.away = False
    await bench.clock.advance(20)
    assert bench.store.told == [("qdrant", "up", "down")]
    assert bench.view("qdrant").level == "down"


async def test_a_lost_answer_of_the_record_is_told_once_and_found_out_about(bench):
    await bench.clock.advance(40)
    bench.probe("qdrant").state = "down"
    bench.store.loses_answers = True
    while not bench.store.told:
        await bench.clock.advance(1)
    # Well again before the next look: nothing but the record knows that it was down.
    bench.probe("qdrant").state = "up"
    bench.store.loses_answers = False
    await bench.clock.advance(60)
    assert bench.store.told == [("qdrant", "up", "down"), ("qdrant", "down", "up")]
    assert bench.view("qdrant").state == "up"


async def test_a_record_that_goes_away_in_the_middle_of_a_start_only_delays(bench):
    await bench.clock.advance(40)
    await bench.kill()
    bench.uptime.away = True
    await bench.start()
    await bench.clock.advance(60)
    assert {view.state for view in bench.watch.views()} == {"unknown"}
    assert not bench.task.done()
    bench.uptime.away = False
    await bench.clock.advance(10)
    assert {view.state for view in bench.watch.views()} == {"up"}
    assert bench.store.told == []


async def test_a_restart_tells_nothing_again_and_goes_on_where_it_was(bench):
    await bench.clock.advance(40)
    bench.probe("qdrant").state = "down"
    await bench.clock.advance(60)
    await bench.kill()
    await bench.clock.advance(5)
    await bench.start()
    assert bench.view("qdrant").level == "down"
    await bench.clock.advance(60)
    assert bench.store.told == [("qdrant", "up", "down")]
    await bench.kill()
    bench.probe("qdrant").state = "up"
    await bench.clock.advance(7200)
    await bench.start()
    await bench.clock.advance(60)
    assert bench.store.told == [("qdrant", "up", "down"), ("qdrant", "down", "up")]


async def test_what_was_seen_once_is_known_after_a_kill_at_once(bench):
    await bench.clock.advance(2)
    await bench.kill()
    bench.probe("qdrant").state = "down"
    await bench.start()
    await bench.clock.advance(30)
    assert bench.store.told == [("qdrant", "up", "down")]


async def test_killed_at_any_moment_a_fault_is_told_once_each_way(bench):
    """Whatever was written or not when the process died, the next one settles it."""
    await bench.clock.advance(40)
    for fault, before, after in (("down", "up", "down"), ("up", "down", "up")):
        bench.probe("qdrant").state = fault
        for wait in (3.0, 6.5, 11.0, 14.9, 20.0):
            await bench.clock.advance(wait)
            await bench.kill()
            await bench.start()
        await bench.clock.advance(30)
        assert bench.store.told.count(("qdrant", before, after)) == 1
    assert len(bench.store.told) == 2


async def test_when_the_record_is_lost_the_log_says_what_was_told(bench):
    await bench.kill()
    event = HealthTransition(
        target="qdrant", kind="service", before="up", after="down", since=bench.clock.now()
    )
    await bench.bus.publish_durable(health_transition("qdrant"), event, id="qdrant:9:1")
    bench.store.rows.clear()
    bench.probe("qdrant").state = "down"
    await bench.start()
    await bench.clock.advance(60)
    assert bench.store.told == []
    assert bench.view("qdrant").level == "down"


async def test_an_emptied_record_is_written_anew_and_tells_what_comes_after(bench):
    await bench.clock.advance(40)
    bench.probe("qdrant").state = "down"
    await bench.clock.advance(40)
    bench.store.rows.clear()
    await bench.clock.advance(60)
    bench.probe("qdrant").state = "up"
    await bench.clock.advance(60)
    assert bench.store.told == [("qdrant", "up", "down"), ("qdrant", "down", "up")]


async def test_an_hour_of_normal_load_is_quiet(bench):
    """Blocked loops, slow answers, single misses, idle and busy by turns: no transition."""
    chance = random.Random(6)
    looks = {
        "parakeet": ["busy"] * 8 + ["up", "idle", "up", "unknown"],
        "qdrant": ["up"] * 20 + ["down"] + ["up"] * 15 + ["down", "down"] + ["up"] * 9,
        "spark1": ["up"] * 30 + ["down"] + ["up"] * 20 + ["degraded", "up"],
    }
    for name, pattern in looks.items():
        turn = itertools.cycle(pattern)
        bench.probe(name).state = lambda turn=turn: next(turn)
    bench.probe("spark2").takes_seconds = 7.5
    for _ in range(12):
        bench.probe("qdrant").takes_seconds = chance.uniform(0, 4)
        await bench.clock.advance(300)
    assert bench.store.told == []
    assert all(view.uptime.day == 100.0 for view in bench.watch.views())
    assert all(view.level == "up" for view in bench.watch.views())


async def test_uptime_counts_what_was_watched_and_leaves_maintenance_out(bench):
    await bench.clock.advance(900)
    bench.probe("qdrant").state = "down"
    await bench.clock.advance(115)
    await bench.kill()
    await bench.clock.advance(3600)
    await bench.start()
    bench.probe("qdrant").state = "up"
    await bench.clock.advance(1000)
    view = bench.view("qdrant")
    assert view.uptime.day == pytest.approx(100 * 1900 / 2015, abs=3)
    assert view.uptime.day == view.uptime.week == view.uptime.month
    now = bench.clock.now()
    bench.maintenance.windows = [
        Maintenance(
            id="1", target="qdrant", starts_at=now, ends_at=now.replace(hour=23), requested_by="A"
        )
    ]
    bench.probe("qdrant").state = "down"
    await bench.clock.advance(600)
    assert bench.view("qdrant").uptime.day == pytest.approx(view.uptime.day, abs=0.2)
    assert bench.view("qdrant").maintenance
    assert bench.store.entries[-1]["data"]["maintenance"] is True


async def test_what_is_wanted_no_more_is_shown_no_more(bench):
    await bench.clock.advance(10)
    gone = bench.probes.pop()
    await bench.clock.advance(10)
    looks = gone.looks
    assert bench.watch.view("qdrant") is None
    await bench.clock.advance(30)
    assert gone.looks == looks
