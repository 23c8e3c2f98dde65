"""What others hear of deep checks, and what of their reports begins one."""

import asyncio
from datetime import datetime, timedelta

import pytest

from spark_common.contracts.deep_health import DeepResult
from spark_common.events import HealthProbeRequested, HealthReport
from spark_common.ids import new_id
from spark_common.subjects import HEALTH_PROBE
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_health.deep.ordering import ProbeOrders
from spark_health.deep.ports import Outcome
from spark_health.deep.runner import DeepRunner
from spark_health.deep.suspicion import REST_SECONDS, Suspicions, suspicious
from spark_health.deep.telling import BusChecks
from spark_health.deep.testing.fakes import WELL, FakeCheck, MemoryDeepStore
from spark_health.remedies.testing.fakes import FakeScene

BROKEN = Outcome("failing", "HTTP 500", 9.0, "server_error", evidence=("HTTP 500",))


class Bench:
    """One service, whoever checks it, and what is heard of that."""

    def __init__(self, clock: FakeClock, bus: MemoryBus) -> None:
        self.clock, self.bus, self.store = clock, bus, MemoryDeepStore()
        self.speech = FakeCheck("parakeet", clock)
        self.runner = DeepRunner(
            lambda: [self.speech], self.store, FakeScene(), clock, teller=BusChecks(bus)
        )
        self.suspicions = Suspicions(self.runner, clock)

    async def told(self) -> list[tuple[object, object, object]]:
        _, first, last = await self.bus.bounds("SC_HEALTH")
        found = [await self.bus.message_at("SC_HEALTH", n) for n in range(max(first, 1), last + 1)]
        data = [one.envelope.data for one in found if one is not None and one.envelope is not None]
        return [(one["before"], one["state"], one["requested_by"]) for one in data]

    def report(self, error: str, at: datetime | None = None, target: str = "parakeet") -> None:
        report = HealthReport(service=target, ok=False, source="audio-proxy", error=error)
        self.suspicions.heard(target, report, at or self.clock.now())


@pytest.fixture
def bench(clock: FakeClock, bus: MemoryBus) -> Bench:
    return Bench(clock, bus)


async def test_an_hour_of_the_same_is_told_once_and_each_change_is(bench: Bench) -> None:
    loop = asyncio.create_task(bench.runner.run())
    await bench.clock.advance(3600)
    assert await bench.told() == [(None, "ok", None)]
    bench.speech.outcomes = [BROKEN, BROKEN, WELL]
    await bench.clock.advance(700)
    assert await bench.told() == [
        (None, "ok", None), ("ok", "failing", None), ("failing", "ok", None),
    ]  # fmt: skip
    await end([loop])


async def test_each_order_is_answered_also_one_that_a_check_had_answered_already(
    bench: Bench, bus: MemoryBus
) -> None:
    await bench.store.add("parakeet", DeepResult(state="ok", sentence="", at=bench.clock.now()))
    order = HealthProbeRequested(target="speech", requested_by="audio-proxy")
    await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    await bench.clock.advance(1)
    await bench.store.add("parakeet", DeepResult(state="busy", sentence="", at=bench.clock.now()))
    orders = asyncio.create_task(ProbeOrders(bus, bench.runner, bench.store, bench.clock).run())
    await bench.clock.advance(5)
    assert await bench.told() == [(None, "busy", None)]
    assert bench.speech.jobs == []
    await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    await bench.clock.advance(5)
    assert len(bench.speech.jobs) == 1
    assert (await bench.told())[1:] == [("busy", "ok", "audio-proxy")]
    await end([orders])


async def test_an_order_is_carried_out_though_whoever_did_is_killed_in_it(
    bench: Bench, bus: MemoryBus
) -> None:
    order = HealthProbeRequested(target="parakeet", requested_by="audio-proxy")
    bench.speech.seconds = 40.0
    await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    loops = [
        asyncio.create_task(bench.runner.run()),
        asyncio.create_task(ProbeOrders(bus, bench.runner, bench.store, bench.clock).run()),
    ]
    await bench.clock.advance(30)
    # Long work is under way, and is no reason to do it a second time.
    assert len(bench.speech.jobs) == 1
    assert await bench.told() == []
    await end(loops)
    # What a killed process left of its claim ends by itself.
    bench.store.flights.clear()
    bench.speech.seconds = 1.0
    again = Bench(bench.clock, bus)
    again.store.results = bench.store.results
    loop = asyncio.create_task(ProbeOrders(bus, again.runner, again.store, again.clock).run())
    await bench.clock.advance(20)
    assert [one[1:] for one in await bench.told()] == [("ok", "audio-proxy")]
    await bench.clock.advance(60)
    assert len(again.speech.jobs) == 1
    await end([loop])


async def test_an_order_that_was_done_and_not_told_is_told_after_the_restart(
    bench: Bench, bus: MemoryBus
) -> None:
    order = HealthProbeRequested(target="parakeet", requested_by="audio-proxy")
    await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    await bench.clock.advance(1)
    done = DeepResult(state="failing", sentence="", at=bench.clock.now())
    await bench.store.add("parakeet", done)
    loop = asyncio.create_task(ProbeOrders(bus, bench.runner, bench.store, bench.clock).run())
    await bench.clock.advance(1)
    assert [one[1] for one in await bench.told()] == ["failing"]
    assert bench.speech.jobs == []
    await end([loop])


async def test_no_order_waits_for_the_check_of_another_and_an_outage_loses_none(
    bench: Bench, bus: MemoryBus, broker: MemoryBroker
) -> None:
    voice = FakeCheck("kokoro", bench.clock)
    bench.runner = DeepRunner(
        lambda: [bench.speech, voice],
        bench.store,
        FakeScene(),
        bench.clock,
        teller=BusChecks(bus),
    )
    bench.speech.seconds = 25.0
    bench.store.away = True
    loop = asyncio.create_task(ProbeOrders(bus, bench.runner, bench.store, bench.clock).run())
    for target in ("parakeet", "tts", "parakeet"):
        order = HealthProbeRequested(target=target, requested_by="audio-proxy")
        await bus.publish_durable(HEALTH_PROBE, order, id=new_id())
    await bench.clock.advance(90)
    assert bench.speech.jobs == voice.jobs == []
    bench.store.away = False
    await bench.clock.advance(7)
    assert (len(voice.jobs), len(bench.store.results["kokoro"])) == (1, 1)
    await bench.clock.advance(60)
    assert (len(bench.speech.jobs), len(voice.jobs)) == (1, 1)
    assert len(await bench.told()) == 2
    assert not broker.stream("SC_PROBES").consumer("health").pending
    await end([loop])


@pytest.mark.parametrize(
    ("error", "so"),
    [
        ("HTTP 500", True),
        ("CUDA error: an illegal memory access was encountered", True),
        ("upstream closed the connection", True),
        ("suspected wedge", True),
        ("HTTP 503", False),
        ("HTTP 413", False),
        ("timed out after 1500 ms", False),
        ("no answer within 30 s", False),
        ("", False),
    ],
)
def test_what_a_report_has_to_name(error: str, so: bool) -> None:
    assert suspicious(error) is so


async def test_a_report_of_what_looks_stuck_begins_one_check_a_minute(bench: Bench) -> None:
    for _ in range(20):
        bench.report("HTTP 500")
        await bench.clock.advance(1)
    assert len(bench.speech.jobs) == 1
    assert bench.store.results["parakeet"][0].requested_by == "audio-proxy"
    await bench.clock.advance(REST_SECONDS)
    bench.report("HTTP 500")
    await bench.clock.advance(5)
    assert len(bench.speech.jobs) == 2


async def test_old_reports_silence_and_what_is_not_checked_begin_nothing(bench: Bench) -> None:
    bench.report("HTTP 500", bench.clock.now() - timedelta(minutes=5))
    bench.report("HTTP 500", target="notes")
    bench.report("no answer in time")
    well = HealthReport(service="parakeet", ok=True, error="HTTP 500")
    bench.suspicions.heard("parakeet", well, bench.clock.now())
    bench.suspicions.heard(None, well, bench.clock.now())
    await bench.clock.advance(30)
    assert bench.speech.jobs == []
