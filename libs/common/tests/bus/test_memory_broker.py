"""What the bus in memory offers to tests beyond the promises of every bus."""

import asyncio
from datetime import timedelta

import pytest

from spark_common.bus.port import Duplicate, Serving, Stored, Unknown
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.errors import DeadlineExceededError, UnavailableError
from spark_common.events import MenuChanged, SwapStart
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus, settle

START = SwapStart(swap_id="x", model="m", requested_by="alice", lease_epoch=0)
NEWS = MenuChanged(reason="test")


class Ask(Request):
    pass


class Told(Reply):
    pass


ASK = Rpc("rpc.swapper.test.ask", Ask, Told)


async def test_redelivery_follows_the_clock_of_the_test() -> None:
    clock = FakeClock()
    bus = MemoryBus("swapper", MemoryBroker(clock=clock))
    await bus.publish_durable("swap.requested.a", START, id="a")
    first = await anext(aiter(bus.work("SC_SWAP_CMD", "swapper")))
    second = asyncio.create_task(anext(aiter(bus.work("SC_SWAP_CMD", "swapper"))))
    await clock.advance(14)
    assert not second.done()
    await first.heartbeat()
    await clock.advance(14)
    assert not second.done()
    await clock.advance(1)
    assert (await second).attempt == 2


async def test_a_deadline_follows_the_clock_of_the_test() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock=clock)
    swapper, gateway = MemoryBus("swapper", broker), MemoryBus("gateway", broker)

    async def slow(request: Ask) -> Told:
        await clock.sleep(60)
        return Told()

    await swapper.serve("swapper", "1.0.0", "a test", [Serving(ASK, slow)])
    call = asyncio.create_task(gateway.call(ASK, Ask(), timeout_seconds=5))
    await clock.advance(4)
    assert not call.done()
    await clock.advance(1)
    with pytest.raises(DeadlineExceededError):
        await call
    patient = asyncio.create_task(gateway.call(ASK, Ask(), timeout_seconds=100))
    await clock.advance(60)
    assert await patient == Told()


async def test_an_outage_is_played_and_loses_nothing() -> None:
    broker = MemoryBroker()
    bus, reader = MemoryBus("swapper", broker), MemoryBus("gateway", broker)
    found: list[int] = []

    async def read() -> None:
        async for message in reader.tail("SC_PROGRESS", after_seq=0):
            found.append(message.seq)

    reading = asyncio.create_task(read())
    assert await bus.publish_durable("swap.progress.a", NEWS, id="1") == Stored(1)
    broker.down()
    assert not bus.health().connected
    assert isinstance(await bus.publish_durable("swap.progress.a", NEWS, id="2"), Unknown)
    for refused in (bus.bounds("SC_PROGRESS"), bus.publish("menu.changed", NEWS, id="3")):
        with pytest.raises(UnavailableError):
            await refused
    broker.up()
    assert await bus.publish_durable("swap.progress.a", NEWS, id="1") == Duplicate(1)
    assert await bus.publish_durable("swap.progress.a", NEWS, id="2") == Stored(2)
    await settle()
    reading.cancel()
    assert found == [1, 2]


async def test_an_id_is_forgotten_after_the_window_a_command_is_not() -> None:
    clock = FakeClock()
    bus = MemoryBus("swapper", MemoryBroker(clock=clock))
    await bus.publish_durable("swap.progress.a", NEWS, id="1")
    await bus.publish_durable("swap.requested.a", START, id="a")
    await clock.advance(timedelta(minutes=3).total_seconds())
    assert await bus.publish_durable("swap.progress.a", NEWS, id="1") == Stored(2)
    assert await bus.publish_durable("swap.requested.a", START, id="a") == Duplicate(1)
