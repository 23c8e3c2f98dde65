"""The two worlds in which the bus sits the same exam: in memory, and on a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import pytest

from spark_common.bus import wire
from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.port import Bus
from spark_common.bus.provision import provision
from spark_common.bus.streams import STREAMS, StreamSpec
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.fixtures import nats_server, redis_server
from spark_common.testing.wait import PATIENCE_SECONDS

__all__ = ["nats_server", "redis_server"]


def streams(ack_wait_seconds: float) -> tuple[StreamSpec, ...]:
    """All streams, with what is not settled coming again after so long."""
    return tuple(
        replace(
            spec,
            consumers=tuple(
                replace(consumer, ack_wait_seconds=ack_wait_seconds) for consumer in spec.consumers
            ),
        )
        for spec in STREAMS
    )


class World(Protocol):
    """Where services meet."""

    async def join(self, name: str) -> Bus:
        """Connect the service of this name."""
        ...

    async def bare(self, subject: str, payload: bytes, id: str | None = None) -> None:
        """Publish like ``nats pub`` of an automation."""
        ...


@dataclass
class MemoryWorld:
    broker: MemoryBroker
    buses: list[MemoryBus] = field(default_factory=list)

    async def join(self, name: str) -> Bus:
        self.buses.append(MemoryBus(name, self.broker))
        return self.buses[-1]

    async def bare(self, subject: str, payload: bytes, id: str | None = None) -> None:
        self.broker.store(subject, payload, id)


@dataclass
class NatsWorld:
    server: NatsServer
    buses: list[NatsBus] = field(default_factory=list)

    async def join(self, name: str) -> NatsBus:
        bus = await connect_bus(self.server.settings(name), name, SystemClock())
        self.buses.append(bus)
        return bus

    async def bare(self, subject: str, payload: bytes, id: str | None = None) -> None:
        bus = await self.join("automation")
        headers = {wire.MESSAGE_ID: id} if id else None
        await bus._link.request(subject, payload, PATIENCE_SECONDS, headers)


@asynccontextmanager
async def real_world(directory: Path, ack_wait_seconds: float) -> AsyncIterator[NatsWorld]:
    server = NatsServer(directory)
    await server.start()
    world = NatsWorld(server)
    try:
        specs = streams(ack_wait_seconds)
        await provision(server.settings("provisioner"), SystemClock(), specs)
        yield world
        for bus in world.buses:
            await bus.close()
    finally:
        await server.kill()


@asynccontextmanager
async def world_in_memory(ack_wait_seconds: float) -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld(MemoryBroker(streams(ack_wait_seconds)))
    yield world
    for bus in world.buses:
        await bus.close()


@pytest.fixture
def ack_wait_seconds() -> float:
    """Longer than any test; one that is about redelivery sets it by ``parametrize``."""
    return 300.0


@pytest.fixture
async def nats_world(tmp_path: Path, ack_wait_seconds: float) -> AsyncIterator[NatsWorld]:
    """A real server."""
    async with real_world(tmp_path / "nats", ack_wait_seconds) as world:
        yield world


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.connected)])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, ack_wait_seconds: float
) -> AsyncIterator[World]:
    """Both worlds, one after the other."""
    real = request.param == "nats"
    place = (
        real_world(tmp_path / "nats", ack_wait_seconds)
        if real
        else world_in_memory(ack_wait_seconds)
    )
    async with place as world:
        yield world
