"""A real gateway that asks for keys: before it knows any, while it does, and when the bus dies."""

import asyncio
import signal
import time

import pytest
from gateway_stand.process import GatewayProcess, an_upstream

from spark_common.bus import Serving
from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.api_keys import NOTE_USE, READ_RING, Noted, Ring, RingKey
from spark_common.embedded import NatsServer
from spark_common.events import KeysChanged
from spark_common.key_text import digest_of, fresh_key
from spark_common.plain_http import plain_client
from spark_common.subjects import KEYS_CHANGED
from spark_common.testing.wait import until, within

pytestmark = pytest.mark.connected
LIVE_SECONDS = 2.0


class Coordinator:
    """Has keys, on the real bus, as its own identity."""

    def __init__(self) -> None:
        self.version = 1
        self.keys: dict[str, RingKey] = {}

    def issue(self, name):
        text = fresh_key()
        self.keys[name] = RingKey(id=name, name=name, digest=digest_of(text), scopes=["infer"])
        self.version += 1
        return text

    async def ring(self, request):
        if request.known_version == self.version:
            return Ring(version=self.version)
        return Ring(version=self.version, keys=list(self.keys.values()), session_secret="s")

    async def note(self, request):
        return Noted()

    async def serve(self, nats):
        await provision(nats.settings("provisioner"), SystemClock())
        self.bus = await connect_bus(
            nats.settings("coordinator"), "coordinator", SystemClock(), on_lost=lambda: None
        )
        verbs = (Serving(READ_RING, self.ring), Serving(NOTE_USE, self.note))
        await self.bus.serve("coordinator", "1.0.0", "keys for tests", verbs)


@pytest.fixture
async def nats(tmp_path):
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    await server.kill()


async def test_keys_hold_without_a_bus_and_a_revoked_one_is_out_in_two_seconds(nats, tmp_path):
    await nats.kill()
    async with an_upstream() as port:
        gateway = GatewayProcess(nats, port, tmp_path / "gateway.log")
        await gateway.start(API_KEYS="true")
        coordinator = Coordinator()
        alice, bob = coordinator.issue("alice"), coordinator.issue("bob")
        others = {name: coordinator.issue(name) for name in ("carol", "dave", "erin")}
        revoked = {"alice": alice} | others
        async with plain_client(base_url=gateway.url, timeout=60) as http:

            async def chat(key):
                shown = {"authorization": f"Bearer {key}"}
                body = {"model": "org/model"}
                answer = await http.post("/v1/chat/completions", json=body, headers=shown)
                return answer.status_code

            async def lets(key, status):
                return await chat(key) == status

            ready = await http.get("/readyz")
            assert ready.status_code == 503
            assert "nobody is let in" in ready.text
            assert await chat(alice) == 503
            assert (await http.get("/")).status_code == 200

            await nats.start()
            await coordinator.serve(nats)
            await until(lambda: lets(alice, 200), "the keys are learned")
            assert (await http.get("/readyz")).status_code == 200
            assert await chat(fresh_key()) == 401

            coming = iter(revoked.items())

            async def revoke():
                name, key = next(coming)
                began = time.monotonic()
                del coordinator.keys[name]
                coordinator.version += 1
                hint = KeysChanged(keys_version=coordinator.version, key_id=name, action="removed")
                await coordinator.bus.publish(KEYS_CHANGED, hint, id=name)
                await until(lambda: lets(key, 401), "the key is out")
                return time.monotonic() - began

            await within(LIVE_SECONDS, revoke, len(revoked))

            await nats.kill()
            await asyncio.sleep(0.1)
            assert await chat(bob) == 200
            assert await chat(alice) == 401
            assert (await http.get("/readyz")).status_code == 200
        await coordinator.bus.close()
        await gateway.end(signal.SIGTERM)
    said = gateway.said()
    assert [key for key in (bob, *revoked.values()) if key in said or digest_of(key) in said] == []
