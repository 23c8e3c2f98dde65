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
from spark_common.bus.streams import STREAMS
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.fixtures import nats_server, redis_server

__all__ = ["nats_server", "redis_server"]

ACK_WAIT_SECONDS = 1.0
QUICK_STREAMS = tuple(
    replace(
        spec,
        consumers=tuple(
            replace(consumer, ack_wait_seconds=ACK_WAIT_SECONDS) for consumer in spec.consumers
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
    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker(QUICK_STREAMS))
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
        await bus._link.request(subject, payload, 2.0, headers)


@asynccontextmanager
async def real_world(directory: Path) -> AsyncIterator[NatsWorld]:
    server = NatsServer(directory)
    await server.start()
    world = NatsWorld(server)
    try:
        await provision(server.settings("provisioner"), SystemClock(), QUICK_STREAMS)
        yield world
        for bus in world.buses:
            await bus.close()
    finally:
        await server.kill()


@asynccontextmanager
async def world_in_memory() -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld()
    yield world
    for bus in world.buses:
        await bus.close()


@pytest.fixture
async def nats_world(tmp_path: Path) -> AsyncIterator[NatsWorld]:
    """A real server with redelivery after a second."""
    async with real_world(tmp_path / "nats") as world:
        yield world


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.connected)])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Both worlds, one after the other."""
    place = real_world(tmp_path / "nats") if request.param == "nats" else world_in_memory()
    async with place as world:
        yield world
