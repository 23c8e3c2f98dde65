"""The lease and the schedules in the dashboard's stream."""

from datetime import timedelta

import pytest
from gateway_stand.coordinator import NOW, FakeCoordinator

from spark_common.testing import FakeClock, MemoryBus, settle


@pytest.fixture
async def coordinator(bench, eventually):
    fake = FakeCoordinator(MemoryBus("coordinator", bench.broker))
    await fake.serve()
    await eventually(lambda: bench.front.bulletins.caught_up)
    return fake


async def test_nobody_who_answers_about_the_lease_is_told_as_nothing(bench, eventually):
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        assert client.events[0].body["lease"] is None


async def test_the_picture_has_the_lease_and_what_happens_to_it_is_told_at_once(
    bench, coordinator, eventually
):
    bench.front.board.poke()
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        assert client.events[0].body["lease"]["state"] == "free"
        coordinator.hold("crm-sync", reason="importing")
        await coordinator.tell_acquired("crm-sync")
        await eventually(lambda: client.named("lock.acquired") and client.named("lease"))
        assert client.named("lock.acquired")[0].body["holder"] == "crm-sync"
        # The board may have looked just before as well.
        await eventually(lambda: client.named("lease")[-1].body["reason"] == "importing")
        await coordinator.tell_missed()
        await eventually(lambda: client.named("schedule.missed"))
        assert client.named("schedule.missed")[0].body["schedule_id"] == "nightly"


async def test_what_happened_before_is_in_the_picture_and_not_told_again(
    bench, coordinator, eventually
):
    coordinator.hold("crm-sync")
    await coordinator.tell_acquired("crm-sync")
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        assert client.events[0].body["lease"]["holder"] == "crm-sync"
        await coordinator.tell_missed()
        await eventually(lambda: client.named("schedule.missed"))
        assert client.named("lock.acquired") == []


async def test_time_that_passes_is_no_news_and_an_extension_is(make_bench, eventually):
    clock = FakeClock()
    async with make_bench(clock=clock) as bench:
        coordinator = FakeCoordinator(MemoryBus("coordinator", bench.broker))
        await coordinator.serve()
        coordinator.hold("crm-sync")
        bench.front.board.poke()
        async with bench.stream("/api/live") as client:
            await eventually(lambda: client.named("snapshot"))
            bench.front.board.poke()
            await settle()
            before = len(client.named("lease"))
            late = NOW + timedelta(seconds=0.4)
            coordinator.hold("crm-sync", remaining_seconds=500.0, expires_at=late)
            bench.front.board.poke()
            await settle()
            assert len(client.named("lease")) == before
            longer = NOW + timedelta(hours=1)
            coordinator.hold("crm-sync", remaining_seconds=4000.0, expires_at=longer)
            bench.front.board.poke()
            await eventually(lambda: len(client.named("lease")) == before + 1)
            assert client.named("lease")[-1].body["remaining_seconds"] == 4000.0
