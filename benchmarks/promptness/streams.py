"""Very many streams at once through one process: none fails, and its memory stays."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, cast

from benchmarks.gateway.contenders import Arena
from benchmarks.gateway.load import STREAM
from benchmarks.promptness.figures import Row
from benchmarks.promptness.memory import resident
from benchmarks.promptness.peer import CHUNK, END, HEAD, Peer, listen

from spark_common.service.open_files import make_room

_WAVES: Final = {1_000: 100, 5_000: 45}
"""How many streams at once, and how many chunks each has."""
_SETTLED: Final = 33
"""Until this chunk each stream keeps what came, to read it at once; from then on it is flat."""
_AT_A_TIME: Final = 100
_PATIENCE_SECONDS: Final = 120
_GROWS_MB: Final = 8.0
"""Flat, as in `benchmarks.flat`."""


class Reader(asyncio.Protocol):
    """A client that counts the chunks it gets."""

    def __init__(self) -> None:
        self.chunks = 0
        self.ended = False
        self.gone = asyncio.get_running_loop().create_future()
        self._last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(STREAM)

    def data_received(self, data: bytes) -> None:
        self.chunks += data.count(b"data: {")
        self._last = (self._last + data)[-5:]
        if self._last == b"0\r\n\r\n":
            self.ended = True
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(None)


async def measure(folder: Path) -> list[Row]:
    """Return how many streams came whole, and what they took of memory."""
    make_room()
    peers: list[Peer] = []
    server, port = await listen(partial(Peer, peers.append))
    place = folder / "streams"
    place.mkdir()
    whole: list[float] = []
    rows = []
    with Arena(place) as arena:
        gateway = await arena.product("gateway", port)
        assert gateway.process is not None
        pid = gateway.process.pid
        for many, chunks in _WAVES.items():
            peers.clear()
            before = resident(pid)
            complete, first, last = await _wave(pid, gateway.port, many, chunks, peers)
            whole.append(complete if complete == many else 0)
            each = (first - before) / many / 1000
            grew = max(0, last - first) / 1e6
            title = f"memory grown while {many:,} stream"
            rows.append(Row(title, "MB", [grew], "most", must=_GROWS_MB, aim=2))
            rows.append(Row(f"memory of each of {many:,} streams", "KB", [each]))
    server.close()
    title = "streams at once, none failed"
    return [Row(title, "streams", [max(whole)], "least", must=1_000, aim=5_000), *rows]


async def _wave(
    pid: int, port: int, many: int, chunks: int, peers: list[Peer]
) -> tuple[int, int, int]:
    """Open so many; return how many came whole, and the memory once it settled and at the end."""
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(readers) < many:
            some = range(min(_AT_A_TIME, many - len(readers)))
            opened = [await loop.create_connection(Reader, "127.0.0.1", port) for _ in some]
            readers += [reader for _, reader in opened]
            await _until(partial(_as_many, peers, readers))
        for peer in peers:
            peer.transport.write(HEAD)
        memory = []
        for number in range(1, chunks + 1):
            for peer in peers:
                peer.transport.write(CHUNK)
            await _until(partial(_all_have, readers, number))
            memory.append(resident(pid))
        for peer in peers:
            peer.transport.write(END)
        await asyncio.gather(*(reader.gone for reader in readers))
    complete = sum(reader.ended and reader.chunks == chunks for reader in readers)
    return complete, memory[_SETTLED], max(memory[_SETTLED:])


def _as_many(peers: list[Peer], readers: list[Reader]) -> bool:
    return len(peers) == len(readers)


def _all_have(readers: list[Reader], chunks: int) -> bool:
    return all(reader.chunks == chunks for reader in readers)


async def _until(claim: Callable[[], bool]) -> None:
    while not claim():
        await asyncio.sleep(0.01)
