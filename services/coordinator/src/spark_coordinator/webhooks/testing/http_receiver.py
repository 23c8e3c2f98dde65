"""A real HTTP receiver on loopback that can fail in every way receivers do."""

import asyncio
import errno
import json
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

from spark_common.clock import SystemClock

Way: TypeAlias = Literal["ok", "error", "hang", "cut", "lost_answer"]
"""``hang``: never answers. ``cut``: closes before it read. ``lost_answer``: takes it, then cuts."""


@dataclass(frozen=True)
class Got:
    """One request, whole."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The constant id of the delivery."""
        return self.headers["webhook-id"]

    @property
    def event_id(self) -> str:
        """The event it tells."""
        return str(json.loads(self.body)["event_id"])


@dataclass
class HttpReceiver:
    """Use as an async context manager; ``die`` and ``revive`` close and open its port."""

    way: Callable[[], Way] = lambda: "ok"
    status: int = 204
    tls: ssl.SSLContext | None = None
    more: bytes = b""
    """Header lines added to an answer, each ended by CRLF."""
    flood: bool = False
    """Answers with a body that never ends."""
    taken: list[Got] = field(default_factory=list)
    """What it read whole and answered with success, or meant to."""
    tried: list[Got] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _clients: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self.revive()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}/hook"

    def event_ids(self) -> list[str]:
        """Return the events it took, each once, in the order in which they first came."""
        return list(dict.fromkeys(got.event_id for got in self.taken))

    def ids(self) -> dict[str, set[str]]:
        """Return the delivery ids under which each event came, over all tries."""
        found: dict[str, set[str]] = {}
        for got in self.tried:
            found.setdefault(got.event_id, set()).add(got.id)
        return found

    def repeats(self) -> int:
        """Return how many times something was taken more than once."""
        counted = Counter(got.id for got in self.taken)
        return sum(number - 1 for number in counted.values())

    async def die(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def revive(self) -> None:
        """Listen again on the same port, once a connection that uses it by chance is over."""
        while self._server is None:
            try:
                self._server = await asyncio.start_server(
                    self._accept, "127.0.0.1", self.port, ssl=self.tls
                )
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                await SystemClock().sleep(0.05)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.transport.abort()
            self._clients.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = self.way()
        if way == "cut":
            return
        got = await _read(reader)
        self.tried.append(got)
        if way == "hang":
            await asyncio.Event().wait()
        if way == "ok" and 200 <= self.status < 300:
            self.taken.append(got)
        if way == "lost_answer":
            self.taken.append(got)
            return
        status = 500 if way == "error" else self.status
        length = b"" if self.flood or status == 204 else b"content-length: 0\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n".encode() + self.more + length + b"\r\n")
        await writer.drain()
        while self.flood:
            writer.write(b"x" * 65536)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(": ") for line in head[1:] if line)
    headers = {name.lower(): value for name, _, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(head[0].split(" ")[1], headers, body)
