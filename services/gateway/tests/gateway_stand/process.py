"""The gateway as a process between a real bus and a model server."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from spark_common.embedded import NatsServer
from spark_common.plain_http import plain_client
from spark_common.testing.ports import free_port
from spark_common.testing.wait import until


class GatewayProcess:
    """``python -m spark_gateway`` on a port of its own."""

    def __init__(self, nats: NatsServer, upstream_port: int, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._nats = nats
        self._upstream_port = upstream_port
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, **settings: str) -> None:
        bus = self._nats.settings("gateway")
        env = os.environ | {
            "NATS_URL": bus.url,
            "NATS_SEED_FILE": str(bus.seed_file),
            "SPARK1_HOST": "127.0.0.1",
            "SPARK1_USER": "alice",
            "VLLM_PORT": str(self._upstream_port),
            "BIND_PORT": str(self.port),
            "DISABLED_SERVICES": "parakeet, kokoro",
            **settings,
        }
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "spark_gateway", env=env, stdout=log, stderr=log
            )
        await until(self.alive, "the gateway answers")

    async def alive(self) -> bool:
        # Not /livez: that answers before the application is built. This one answers everybody.
        async with plain_client(base_url=self.url) as client:
            try:
                return (await client.get("/api/session")).status_code == 200
            except httpx.HTTPError:
                return False

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body of one answer."""
        async with plain_client(base_url=self.url, timeout=60) as client:
            answer = await client.request(method, path, json=body)
            return answer.status_code, answer.json()

    async def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        return await self._process.wait()

    def said(self) -> str:
        return self._log.read_text()


@asynccontextmanager
async def an_upstream() -> AsyncIterator[int]:
    """A model server that lists one model and repeats what it was sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = 0
                if b"content-length:" in head:
                    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                if head.startswith(b"get /v1/models"):
                    model = {"id": "org/model", "created": 7, "max_model_len": 4096, "root": None}
                    body = json.dumps({"object": "list", "data": [model]}).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n%b" % (len(body), body)
                )
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def live_events(answer: httpx.Response) -> AsyncIterator[tuple[str, dict]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "event" in fields:
            yield fields["event"], json.loads(fields["data"])
        fields = {}
