"""What the gateway knows of the lease: soon after it changed, and nothing it cannot know."""

import asyncio

import pytest

from spark_common.bus import Serving
from spark_common.contracts.leases import GET_LEASE, LeaseView
from spark_common.errors import ServiceUnavailableError
from spark_common.events import LockReleased
from spark_common.subjects import lock_event
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_gateway.lease_watch import LeaseWatch


class Coordinator:
    """Says who holds the lease, and how often it was asked."""

    def __init__(self, broker) -> None:
        self.bus = MemoryBus("coordinator", broker)
        self.view = LeaseView(state="free", epoch=0)
        self.silent = False
        self.asked = 0

    async def serve(self) -> None:
        await self.bus.serve("coordinator", "1", "a fake", [Serving(GET_LEASE, self.answer)])

    async def answer(self, request):
        self.asked += 1
        if self.silent:
            raise ServiceUnavailableError("it does not answer")
        return self.view

    def hold(self, seconds=600.0, state="held") -> None:
        self.view = LeaseView(state=state, holder="Alice", epoch=1, remaining_seconds=seconds)


class House:
    """A watch that runs, and the switch of its setting."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(clock=self.clock)
        self.coordinator = Coordinator(self.broker)
        self.on = True
        bus = MemoryBus("gateway", self.broker)
        self.watch = LeaseWatch(bus, lambda: self.on, self.clock)


@pytest.fixture
async def house():
    made = House()
    await made.coordinator.serve()
    running = asyncio.create_task(made.watch.run())
    yield made
    await end([running])


@pytest.mark.parametrize("state", ["held", "granted", "draining"])
async def test_a_lease_binds_within_two_seconds_and_says_what_is_left(house, state):
    await house.clock.advance(0)
    assert house.watch.binding() is None
    house.coordinator.hold(600, state)
    await house.clock.advance(2)
    assert house.watch.binding().holder == "Alice"
    await house.clock.advance(1)
    left = house.watch.binding().remaining_seconds
    assert left == (600 if state == "draining" else 599)


async def test_an_event_is_heard_at_once(house):
    house.coordinator.hold()
    await house.clock.advance(2)
    house.coordinator.view = LeaseView(state="free", epoch=1)
    event = LockReleased(epoch=1, holder="Alice", at=house.clock.now(), held_seconds=2)
    await house.coordinator.bus.publish_durable(lock_event("released"), event, id="r")
    await house.clock.advance(0.01)
    assert house.watch.binding() is None


async def test_its_end_needs_nobody_to_say_so(house):
    house.coordinator.hold(3)
    await house.clock.advance(2)
    house.coordinator.silent = True
    assert house.watch.binding() is not None
    await house.clock.advance(3)
    assert house.watch.binding() is None


@pytest.mark.parametrize("away", ["the coordinator", "the bus"])
async def test_what_was_said_long_ago_is_not_known(house, away):
    house.coordinator.hold()
    await house.clock.advance(2)
    if away == "the bus":
        house.broker.down()
    house.coordinator.silent = True
    await house.clock.advance(4)
    assert house.watch.binding() is not None
    await house.clock.advance(5)
    assert house.watch.binding() is None
    house.broker.up()
    house.coordinator.silent = False
    await house.clock.advance(4)
    assert house.watch.binding() is not None


async def test_off_binds_nobody_and_asks_nobody(house):
    house.coordinator.hold()
    await house.clock.advance(2)
    house.on = False
    assert house.watch.binding() is None
    await house.clock.advance(2)
    asked = house.coordinator.asked
    await house.clock.advance(60)
    assert house.coordinator.asked == asked
    house.on = True
    await house.clock.advance(2)
    assert house.watch.binding() is not None
