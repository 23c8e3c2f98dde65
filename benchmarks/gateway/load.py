"""The load: closed loops over bare asyncio protocols, so that it is not what is measured."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

WHOLE_BODY = b'{"model":"bench","messages":[{"role":"user","content":"hello there"}]}'
STREAM_BODY = b'{"model":"bench","stream":true,"messages":[{"role":"user","content":"hello"}]}'
_FIELDS = (
    b"Host: gateway:9999\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
    b"User-Agent: OpenAI/Python 3.3.1\r\nX-Stainless-Lang: python\r\nX-Stainless-OS: Linux\r\n"
    b"X-Stainless-Arch: arm64\r\nX-Stainless-Runtime: CPython\r\nX-Stainless-Async: false\r\n"
    b"Authorization: Bearer %b\r\nx-stainless-retry-count: 0\r\n"
)


def request(body: bytes, key: str = "none") -> bytes:
    """A chat request as OpenAI's own client words it."""
    return b"POST /v1/chat/completions HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
        _FIELDS % key.encode(),
        len(body),
        body,
    )


WHOLE = request(WHOLE_BODY)
STREAM = request(STREAM_BODY)


@dataclass
class Tally:
    """What one run saw. Times in seconds."""

    requests: int = 0
    chunks: int = 0
    failures: int = 0
    first_bytes: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered, until ``until``."""

    def __init__(self, tally: Tally, message: bytes, until: float, delay: float) -> None:
        self.delay = delay
        self.tally = tally
        self.message = message
        self.until = until
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.length = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        asyncio.get_running_loop().call_later(self.delay, self.ask)

    def ask(self) -> None:
        self.buffer = b""
        self.length = -2
        self.asked_at = time.perf_counter()
        self.transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        if self.length == -2:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.tally.first_bytes.append(time.perf_counter() - self.asked_at)
            head, data = self.buffer[:end].lower(), self.buffer[end + 4 :]
            if not head.startswith(b"http/1.1 200"):
                self.tally.failures += 1
            start = head.find(b"content-length:")
            self.length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else -1
            self.buffer = b""
        if self.length >= 0:
            self.length -= len(data)
            if self.length == 0:
                self.answered()
            return
        self.tally.chunks += data.count(b"data: {")
        self.buffer = (self.buffer + data)[-5:]
        if self.buffer == b"0\r\n\r\n":
            self.answered()

    def answered(self) -> None:
        now = time.perf_counter()
        self.tally.requests += 1
        self.tally.latencies.append(now - self.asked_at)
        if now < self.until:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.length == -2 and self.buffer:
            self.tally.failures += 1
        if not self.finished.done():
            self.finished.set_result(None)


async def drive(
    port: int, message: bytes, connections: int, seconds: float, spread: float = 0.0
) -> Tally:
    """Keep ``connections`` requests in flight for ``seconds``; the first ones ``spread`` apart."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    until = time.perf_counter() + seconds
    callers: list[Caller] = []
    for number in range(connections):
        caller = Caller(tally, message, until, number * spread)
        await loop.create_connection(lambda each=caller: each, "127.0.0.1", port)  # type: ignore[misc]
        callers.append(caller)
    await asyncio.wait_for(asyncio.gather(*(caller.finished for caller in callers)), seconds + 30)
    return tally
