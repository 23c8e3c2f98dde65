"""Gateways that know nothing of each other, on one bus, one record and one model server.

The swapper is played, so that swaps happen as the tests say.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from gateway_stand.process import GatewayProcess
from gateway_stand.swapper import MODELS, FakeSwapper

from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import Phase
from spark_common.embedded import NatsServer, RedisServer
from spark_common.plain_http import plain_client
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until
from spark_sim.standing_in import standing_in

COMING, LOADED = MODELS
TOKENS = 40
"""What every answer of the model server says it has cost."""


class ModelServer:
    """Serves one model. While ``open`` is not set nobody is answered."""

    def __init__(self) -> None:
        self.model = LOADED
        self.inside = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        answer: Any = {"object": "list", "data": [{"id": self.model, "object": "model"}]}
        if scope["method"] == "POST":
            self.inside += 1
            await self.open.wait()
            self.inside -= 1
            usage = {"prompt_tokens": 1, "completion_tokens": TOKENS - 1, "total_tokens": TOKENS}
            answer = {"object": "chat.completion", "model": self.model, "usage": usage}
        fields = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": httpx.Response(200, json=answer).content})


class Swapper(FakeSwapper):
    """Its swaps end with the model server serving the model that was asked for."""

    def __init__(self, bus: Any, server: ModelServer) -> None:
        super().__init__(bus)
        self.server = server
        self.loaded = LOADED

    async def load(self, swap_id: str) -> None:
        await self.step(swap_id, 1, phase=Phase.LOADING, previous=Phase.LAUNCHING)

    async def bring(self, swap_id: str) -> None:
        self.server.model = self.views[swap_id].model
        await self.complete(swap_id)


@dataclass
class Side:
    """One gateway, and an administrator's way to it."""

    process: GatewayProcess
    http: httpx.AsyncClient
    admin: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, body: Any, **more: str) -> httpx.Response:
        return await self.http.post(path, json=body, headers={**self.admin, **more})

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers=self.admin)

    async def key(self, name: str, **limits: Any) -> str:
        """Make a key here, and return its text."""
        answer = await self.post("/api/keys", {"name": name, **limits})
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    async def chat(self, key: str, model: str = LOADED, wait: int = 0) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}", "prefer": f"wait={wait}"}
        return await self.http.post("/v1/chat/completions", json={"model": model}, headers=headers)

    async def lets(self, key: str, status: int = 200, model: str = LOADED) -> bool:
        return (await self.chat(key, model)).status_code == status

    async def number(self, name: str) -> float:
        """Return one of this gateway's own numbers."""
        lines = (await self.http.get("/metrics")).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


@dataclass
class Place:
    """Everybody there is."""

    sides: list[Side]
    server: ModelServer
    swapper: Swapper
    nats: NatsServer
    redis: RedisServer
    coordinator: ServiceProcess

    @property
    def one(self) -> Side:
        return self.sides[0]

    @property
    def other(self) -> Side:
        return self.sides[1]

    async def known(self, key: str) -> float:
        """Wait until every side lets a key in; return how long that took."""
        began = time.monotonic()
        for side in self.sides:
            await until(lambda side=side: side.lets(key), "the key is known")
        return time.monotonic() - began


@asynccontextmanager
async def open_place(folder: Path, gateways: int = 2) -> AsyncIterator[Place]:
    """Start everything; yield it when every gateway knows an administrator."""
    nats, redis, server = NatsServer(folder / "nats"), RedisServer(folder / "redis"), ModelServer()
    async with AsyncExitStack() as stack:
        for child in (nats, redis):
            stack.push_async_callback(child.kill)
        await asyncio.gather(nats.start(), redis.start())
        await provision(nats.settings("provisioner"), SystemClock())
        port = await stack.enter_async_context(standing_in(server))
        bus = await connect_bus(
            nats.settings("swapper"), "swapper", SystemClock(), on_lost=lambda: None
        )
        stack.push_async_callback(bus.close)
        swapper = Swapper(bus, server)
        await swapper.serve()
        environment = service_environment("coordinator", nats, redis) | {
            "NATS_PROVISIONER_SEED_FILE": str(nats.settings("provisioner").seed_file),
            "DATA_DIR": str(folder),
            "API_KEYS": "true",
        }
        coordinator = ServiceProcess("spark_coordinator", environment, folder / "coordinator.log")
        processes = [
            GatewayProcess(nats, port, folder / f"gateway-{number}.log")
            for number in range(gateways)
        ]
        policy = {"API_KEYS": "true", "SWAP_ON_DEMAND": "true", "ON_DEMAND_STAY_MINUTES": "0"}
        async with asyncio.TaskGroup() as starting:
            starting.create_task(stack.enter_async_context(coordinator))
            for gateway in processes:
                stack.push_async_callback(gateway.end, signal.SIGKILL)
                starting.create_task(gateway.start(**policy))
        sides = [
            Side(
                gateway,
                await stack.enter_async_context(plain_client(base_url=gateway.url, timeout=60.0)),
            )
            for gateway in processes
        ]
        made = Place(sides, server, swapper, nats, redis, coordinator)
        for side in sides:
            await until(lambda side=side: ready(side), "the gateway knows the keys")
        admin = await made.one.key("Alice", scopes=["admin"])
        for side in sides:
            side.admin = {"authorization": f"Bearer {admin}"}
        for side in sides:
            await until(lambda side=side: answers(side), "the administrator is known everywhere")
        yield made


async def ready(side: Side) -> bool:
    return (await side.http.get("/readyz")).status_code == 200


async def answers(side: Side) -> bool:
    return (await side.get("/api/keys")).status_code == 200
