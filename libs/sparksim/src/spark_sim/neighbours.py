"""The other services of the Sparks: voice only listens, embeddings and Qdrant really answer."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer
from spark_sim.vllm_http.server import EmbeddedServer

EMBED_PORT = 8081
QDRANT_PORT = 6333


@dataclass(frozen=True)
class Neighbour:
    """A service that is only known to be there."""

    name: str
    host: str
    port: int
    answers: dict[str, tuple[str, str]]
    """Path -> (content type, body) of ``GET``."""


def _json(value: object) -> tuple[str, str]:
    return "application/json", json.dumps(value, separators=(",", ":"))


NEIGHBOURS = (Neighbour("voice", "spark1", 8880, {"/health": _json({"status": "healthy"})}),)


class Neighbours:
    """The services of one host."""

    def __init__(self, host: str, address: str) -> None:
        self._address = address
        self._services = tuple(item for item in NEIGHBOURS if item.host == host)
        self.embed = EmbedServer()
        self.qdrant = QdrantServer()
        self._applications: dict[int, Callable[..., Awaitable[None]]] = {}
        if host == "spark2":
            self._applications = {EMBED_PORT: self.embed, QDRANT_PORT: self.qdrant}
        self._running: list[EmbeddedServer] = []
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports they listen on now."""
        if not (self._servers or self._running):
            return ()
        return (*(service.port for service in self._services), *self._applications)

    async def start(self) -> None:
        """Listen on every port. Raises OSError."""
        for service in self._services:
            self._servers.append(
                await asyncio.start_server(self._conversation(service), self._address, service.port)
            )

        for port, application in self._applications.items():
            server = EmbeddedServer(application)
            await server.start(socket.create_server((self._address, port)))
            self._running.append(server)

    async def stop(self) -> None:
        """Close listeners and connections; what Qdrant stores stays."""
        for running in self._running:
            await running.stop()
        self._running.clear()
        for server in self._servers:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._servers.clear()

    def _conversation(self, service: Neighbour):  # type: ignore[no-untyped-def]
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            try:
                while await self._answer(service, reader, writer):
                    pass
            except (EOFError, ConnectionError, asyncio.LimitOverrunError):
                pass
            finally:
                self._writers.discard(writer)
                writer.close()

        return converse

    async def _answer(
        self, service: Neighbour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, *_ = (head.split("\r\n", 1)[0] + "  ").split(" ")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (row.partition(":") for row in head.split("\r\n")[1:] if row)
        }
        await reader.readexactly(int(fields.get("content-length", "0")))
        kind, body = service.answers.get(path.partition("?")[0], ("", ""))
        status = "200 OK" if kind and method in {"GET", "HEAD"} else "404 Not Found"
        payload = body.encode()
        answer = f"HTTP/1.1 {status}\r\ncontent-length: {len(payload)}\r\n"
        if kind:
            answer += f"content-type: {kind}\r\n"
        writer.write(answer.encode() + b"\r\n" + (b"" if method == "HEAD" else payload))
        await writer.drain()
        return fields.get("connection", "").lower() != "close"
