"""The server behind the gateway, in this process: it sees what the gateway lets it see."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_EVENT: Final = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,'
    b'"model":"bench","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
CHUNK: Final = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)
END: Final = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
_LISTING: Final = b'{"object":"list","data":[{"id":"bench","object":"model","created":1}]}'
_LISTED: Final = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(_LISTING), _LISTING)
_TAKEN: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"text":""}'


class Peer(asyncio.Protocol):
    """One connection of the gateway's. ``asked`` is told of each question, ``left`` of its end."""

    def __init__(
        self, asked: Callable[["Peer"], None], left: Callable[["Peer"], None] = lambda _: None
    ) -> None:
        self._asked = asked
        self._left = left
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + length_of(bytes(self._buffer[:end])):
            return
        listing = self._buffer.startswith(b"GET ")
        self._buffer.clear()
        if listing:
            self.transport.write(_LISTED)
        else:
            self._asked(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._left(self)


class Taker(asyncio.Protocol):
    """Takes an upload and forgets it: as fast as it comes, or a piece at a time with pauses."""

    def __init__(self, piece: int, pause_seconds: float) -> None:
        self._piece = piece
        self._pause_seconds = pause_seconds
        self._head = bytearray()
        self._owed = -1
        self._taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._owed < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._owed = length_of(bytes(self._head[:end]))
            data = bytes(self._head[end + 4 :])
        self._owed -= len(data)
        self._taken += len(data)
        if self._owed == 0:
            self._owed, self._taken = -1, 0
            self._head.clear()
            self.transport.write(_TAKEN)
        elif self._pause_seconds and self._taken >= self._piece:
            self._taken = 0
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(self._pause_seconds, self._go_on)

    def _go_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()


def length_of(head: bytes) -> int:
    """Return the bytes of the body that a head announces."""
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def listen(protocol: Callable[[], asyncio.Protocol]) -> tuple[asyncio.Server, int]:
    """Listen on a free loopback port; return the server and the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=8192)
    port: int = server.sockets[0].getsockname()[1]
    return server, port
