"""A gateway process, the NATS it speaks to, and a swapper of tests as an identity of its own."""

import signal

import pytest
from gateway_stand.process import GatewayProcess, an_upstream

from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer


@pytest.fixture
async def nats(tmp_path):
    server = NatsServer(tmp_path / "nats")
    yield server
    await server.kill()


@pytest.fixture
async def gateway(nats, tmp_path):
    await nats.start()
    async with an_upstream() as port:
        process = GatewayProcess(nats, port, tmp_path / "gateway.log")
        yield process
        await process.end(signal.SIGKILL)


@pytest.fixture
async def swapper(nats, gateway, make_swapper):
    """A swapper that behaves, on the real bus, as its own identity."""
    await provision(nats.settings("provisioner"), SystemClock())
    bus = await connect_bus(
        nats.settings("swapper"), "swapper", SystemClock(), on_lost=lambda: None
    )
    fake = make_swapper(bus)
    await fake.serve()
    yield fake
    await bus.close()
