"""A bus that is not there yet, and then is."""

import asyncio

import pytest

from spark_common import subjects
from spark_common.bus import Stored, Unknown
from spark_common.bus.late import LateBus
from spark_common.contracts.models import LIST_MODELS, ListModels
from spark_common.errors import UnavailableError
from spark_common.events import MenuChanged, SwapProgress
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus, settle


@pytest.fixture
async def late():
    """A bus whose server starts when the test says so."""
    clock = FakeClock()
    broker = MemoryBroker(clock=clock)
    broker.down()

    async def connect() -> MemoryBus:
        broker.require()
        return MemoryBus("gateway", broker)

    bus = LateBus(connect, clock)
    running = asyncio.create_task(bus.run())
    await settle()
    yield bus, broker, clock
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_every_question_says_that_nobody_is_there(late):
    bus, _broker, _clock = late
    hint = MenuChanged(reason="x")
    for question in (
        bus.call(LIST_MODELS, ListModels()),
        bus.bounds("SC_PROGRESS"),
        bus.last_message("SC_PROGRESS", "swap.progress.a"),
        bus.discover(),
        bus.publish(subjects.MENU_CHANGED, hint, id="1"),
    ):
        with pytest.raises(UnavailableError):
            await question
    assert isinstance(await bus.publish_durable("swap.progress.a", hint, id="1"), Unknown)
    assert bus.health().connected is False
    assert bus.health().last_error
    await bus.close()


async def test_what_waited_goes_on_when_it_comes(late, eventually):
    bus, broker, clock = late
    seen = []

    async def read() -> None:
        async for message in bus.tail("SC_PROGRESS", after_seq=0):
            seen.append(message.seq)

    async def listen() -> None:
        async for _, _body in bus.listen(subjects.MENU_CHANGED):
            seen.append("hint")

    tasks = [asyncio.create_task(read()), asyncio.create_task(listen())]
    served = asyncio.create_task(bus.serve("gateway", "1.0.0", "late", ()))
    await settle()
    assert not served.done()
    broker.up()
    await clock.advance(1.0)
    await eventually(served.done)
    assert bus.health().connected
    assert await bus.discover() == ["gateway"]
    step = SwapProgress(swap_id="a", n=1, model="m", phase="loading", at=clock.now())
    assert isinstance(await bus.publish_durable("swap.progress.a", step, id="1"), Stored)
    await bus.publish(subjects.MENU_CHANGED, MenuChanged(reason="x"), id="2")
    await eventually(lambda: sorted(map(str, seen)) == ["1", "hint"])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await bus.close()
