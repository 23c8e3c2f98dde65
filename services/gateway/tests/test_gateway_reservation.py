"""A reservation that binds requests, through a real gateway on a real bus."""

import asyncio
import json
from contextlib import suppress

import httpx
import pytest

from spark_common.bus import Serving
from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.leases import GET_LEASE, LeaseView
from spark_common.embedded import NatsServer
from spark_common.events import LockReleased
from spark_common.plain_http import plain_client
from spark_common.subjects import lock_event
from spark_common.testing.process import ServiceProcess
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected
OTHER = {"model": "gpt-oss", "messages": []}
LOADED = {"model": "ORG/Model", "messages": []}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Play a model server that serves one model."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length:" in head:
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            body = json.dumps({"object": "list", "data": [{"id": "org/model"}]}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
    writer.close()


@pytest.fixture
async def nats(tmp_path):
    server = NatsServer(tmp_path / "nats")
    await server.start()
    await provision(server.settings("provisioner"), SystemClock())
    yield server
    await server.kill()


@pytest.fixture
async def gateway(nats, tmp_path):
    upstream = await asyncio.start_server(answer, "127.0.0.1", 0)
    bus = nats.settings("gateway")
    environment = {
        "NATS_URL": bus.url,
        "NATS_SEED_FILE": str(bus.seed_file),
        "SPARK1_HOST": "127.0.0.1",
        "SPARK1_USER": "alice",
        "VLLM_PORT": str(upstream.sockets[0].getsockname()[1]),
        "LEASE_BINDS_REQUESTS": "true",
    }
    async with ServiceProcess("spark_gateway", environment, tmp_path / "gateway.log") as process:
        yield process
    upstream.close()


class Coordinator:
    """Says who has the lease."""

    view = LeaseView(
        state="held", holder="Alice", reason="a secret", epoch=1, remaining_seconds=900
    )

    async def answer(self, request):
        return self.view


async def test_a_reservation_binds_requests_until_it_ends_or_nobody_knows(nats, gateway):
    coordinator, clock = Coordinator(), SystemClock()
    bus = await connect_bus(nats.settings("coordinator"), "coordinator", clock)
    await bus.serve("coordinator", "1.0.0", "a fake", [Serving(GET_LEASE, coordinator.answer)])
    async with plain_client(base_url=gateway.url, timeout=60) as client:

        async def chat(body) -> httpx.Response:
            return await client.post("/v1/chat/completions", json=body)

        def becomes(status):
            async def reached():
                return (await chat(OTHER)).status_code == status

            return reached

        await until(becomes(503), "the reservation is known")
        refused = await chat(OTHER)
        body = refused.json()
        assert body["error"]["code"] == "gpu_reserved"
        assert body["reservation"]["holder"] == "Alice"
        assert refused.headers["x-should-retry"] == "false"
        assert "secret" not in refused.text
        assert (await chat(LOADED)).status_code == 200

        coordinator.view = LeaseView(state="free", epoch=1)
        released = LockReleased(epoch=1, holder="Alice", at=clock.now(), held_seconds=1)
        await bus.publish_durable(lock_event("released"), released, id="released")
        await until(becomes(404), "the end is known")
        assert (await chat(OTHER)).json()["error"]["code"] == "model_not_found"

        coordinator.view = Coordinator.view
        await until(becomes(503), "it is held again")
        await bus.close()
        await nats.kill()
        await until(becomes(404), "nobody can know any more")
