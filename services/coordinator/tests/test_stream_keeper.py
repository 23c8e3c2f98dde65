"""The streams are there at the start, come back when they are lost, and failures are told."""

import asyncio

import pytest

from spark_common.bus.streams import STREAMS
from spark_common.errors import UnavailableError
from spark_common.service import unready_reasons
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.streams import StreamKeeper


class Server:
    """A server without streams, and a provisioner that makes them unless it is forbidden."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.full = dict(self.broker.streams)
        self.broker.streams.clear()
        self.refusal: str | None = None
        self.provisioned = 0

    async def provision(self) -> None:
        if self.refusal is not None:
            raise UnavailableError(self.refusal)
        self.provisioned += 1
        self.broker.streams.update(self.full)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keeper(server: Server, clock: FakeClock) -> StreamKeeper:
    return StreamKeeper(MemoryBus("coordinator", server.broker), server.provision, clock)


async def test_nothing_is_ready_before_the_first_look(keeper: StreamKeeper) -> None:
    assert await unready_reasons([keeper.check]) == [
        "provisioning: the streams are not looked at yet"
    ]


async def test_the_streams_are_made_once(keeper: StreamKeeper, server: Server) -> None:
    for _ in range(3):
        await keeper.look()
    assert set(server.broker.streams) == {spec.name for spec in STREAMS}
    assert server.provisioned == 1
    assert await unready_reasons([keeper.check]) == []


@pytest.mark.parametrize("lost", [spec.name for spec in STREAMS])
async def test_a_lost_stream_comes_back(lost: str, keeper: StreamKeeper, server: Server) -> None:
    await keeper.look()
    del server.broker.streams[lost]
    await keeper.look()
    assert lost in server.broker.streams


async def test_an_absent_server_is_left_alone(keeper: StreamKeeper, server: Server) -> None:
    server.broker.down()
    await keeper.look()
    assert server.provisioned == 0


async def test_a_refusal_is_the_reason_for_not_being_ready_until_it_ends(
    keeper: StreamKeeper, server: Server, clock: FakeClock
) -> None:
    server.refusal = "no permission to publish on $JS.API.STREAM.CREATE.SC_INGRESS"
    keeping = asyncio.create_task(keeper.keep())
    await clock.advance(5)
    assert await unready_reasons([keeper.check]) == [f"provisioning: {server.refusal}"]

    server.refusal = None
    await clock.advance(5)
    assert await unready_reasons([keeper.check]) == []
    keeping.cancel()
    await asyncio.wait({keeping})
