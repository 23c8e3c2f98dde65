"""The accounts on a real server: durable, over kills, and refilled after a loss."""

import asyncio

import pytest

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.errors import UnavailableError
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_coordinator.accounts.following import STREAMS, Follower
from spark_coordinator.accounts.keeper import NAME, Keeper

pytestmark = pytest.mark.connected


async def test_nothing_is_lost_or_counted_twice_when_the_bus_and_the_reader_die(
    nats_server, tmp_path, make_teller
):
    clock = SystemClock()
    bus = await connect_bus(nats_server.settings("coordinator"), "coordinator", clock)
    swapper = await connect_bus(nats_server.settings("swapper"), "swapper", clock)
    lock, swaps = make_teller(bus, clock.now(), -600), make_teller(swapper, clock.now(), -600)
    keeper = Keeper(tmp_path / "coordinator", clock)

    def start():
        follower = Follower(bus, keeper, clock)
        return [asyncio.create_task(follower.follow(stream)) for stream in STREAMS]

    async def read():
        for stream in STREAMS:
            mark = await keeper.mark(stream)
            try:
                _, _, last = await bus.bounds(stream)
            except UnavailableError:
                return False
            if mark is None or mark.seq < last:
                return False
        return True

    following = start()
    for epoch in range(1, 6):
        await lock.lease(epoch, "Alice", epoch * 10, epoch * 10 + 5)
    await swaps.swap("s1", "Bob", 12, 2)
    await until(read, "the first events are in")
    await end(following)

    for epoch in range(6, 11):
        await lock.lease(epoch, "Bob", epoch * 10, epoch * 10 + 5)
    await nats_server.kill()
    await nats_server.start()
    await keeper.close()
    keeper = Keeper(tmp_path / "coordinator", clock)
    following = start()
    await until(read, "the second events are in")
    report = await keeper.report(2)
    assert {one.holder: (one.leases, one.held_minutes) for one in report.holders} == {
        "Alice": (5, 25),
        "Bob": (5, 25),
    }
    assert {one.holder: one.swaps for one in report.holders} == {"Alice": 1, "Bob": 0}

    await end(following)
    await keeper.close()
    for path in (tmp_path / "coordinator").iterdir():
        path.unlink()
    keeper = Keeper(tmp_path / "coordinator", clock)
    following = start()
    await until(read, "a lost file is filled from the streams")
    assert (await keeper.report(2)).holders == report.holders
    assert (tmp_path / "coordinator" / NAME).exists()
    await end(following)
    await keeper.close()
    await swapper.close()
    await bus.close()
