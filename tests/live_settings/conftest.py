"""The coordinator and the gateway as processes, and two model servers to send requests to.

A file has one of each: its tests share them, in their order.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer, RedisServer
from spark_common.plain_http import plain_client
from spark_common.testing.ports import free_port
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import PATIENCE_SECONDS, until


class ModelServer:
    """Says its name as the model it serves, whatever it is asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"object": "list", "data": [{"id": self.name, "object": "model"}]})
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Product:
    """What a test can do to it."""

    def __init__(
        self, environment: dict[str, str], nats: NatsServer, redis: RedisServer, folder: Path
    ) -> None:
        self.environment = environment
        self.nats = nats
        self.redis = redis
        self.folder = folder
        self.http = plain_client(timeout=PATIENCE_SECONDS)

    @asynccontextmanager
    async def running(self, *processes: ServiceProcess) -> AsyncIterator[None]:
        """Run processes that are begun at the same time."""
        async with AsyncExitStack() as stack:
            async with asyncio.TaskGroup() as starting:
                for process in processes:
                    starting.create_task(stack.enter_async_context(process))
            yield

    def coordinator(self) -> ServiceProcess:
        more = {
            "NATS_PROVISIONER_SEED_FILE": str(self.nats.settings("provisioner").seed_file),
            "DATA_DIR": str(self.folder),
        }
        return self._process("coordinator", more)

    def gateway(self) -> ServiceProcess:
        # Its own question goes through its front door: it has to know the port beforehand.
        return self._process("gateway", {"BIND_PORT": str(free_port())})

    def _process(self, name: str, more: dict[str, str]) -> ServiceProcess:
        environment = service_environment(name, self.nats, self.redis)
        log = self.folder / f"{name}.log"
        return ServiceProcess(f"spark_{name}", {**environment, **self.environment, **more}, log)

    async def set(self, gateway: ServiceProcess, **values: Any) -> httpx.Response:
        return await self.http.post(f"{gateway.url}/api/settings", json=values)

    async def answers(self, gateway: ServiceProcess) -> str | None:
        """Return the name of the model server that a request reaches."""
        try:
            answer = await self.http.post(f"{gateway.url}/v1/completions", json={"model": "auto"})
            return str(answer.json()["data"][0]["id"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    async def settings(self, gateway: ServiceProcess) -> dict[str, Any] | None:
        answer = await self.http.get(f"{gateway.url}/api/settings")
        return answer.json() if answer.status_code == 200 else None

    async def until_served(self, gateway: ServiceProcess) -> None:
        async def served() -> bool:
            return await self.settings(gateway) is not None

        await until(served, "settings are answered")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncIterator[tuple[ModelServer, ModelServer]]:
    """Yield two model servers on ports of their own."""
    first, second = ModelServer("first"), ModelServer("second")
    await first.start()
    await second.start()
    yield first, second
    await first.stop()
    await second.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def product(
    servers: tuple[ModelServer, ModelServer], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """Yield the product, whose environment names the first model server."""
    environment = {
        "SPARK1_HOST": "127.0.0.1",
        "SPARK1_USER": "alice",
        "VLLM_PORT": str(servers[0].port),
        "DRAIN_SECONDS": "soon",
    }
    folder = tmp_path_factory.mktemp("live")
    nats, redis = NatsServer(folder / "nats"), RedisServer(folder / "redis")
    await asyncio.gather(nats.start(), redis.start())
    try:
        await provision(nats.settings("provisioner"), SystemClock())
        product = Product(environment, nats, redis, folder)
        yield product
        await product.http.aclose()
    finally:
        await nats.kill()
        await redis.kill()
