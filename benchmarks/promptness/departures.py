"""How soon the server behind the gateway sees that a client is gone."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Final, Literal

from benchmarks.gateway.contenders import Arena
from benchmarks.gateway.load import STREAM
from benchmarks.promptness.figures import Row
from benchmarks.promptness.peer import CHUNK, HEAD, Peer, listen

_TIMES: Final = 200
_PATIENCE_SECONDS: Final = 30
Moment = Literal["before the first byte", "within a stream"]


class Watch:
    """One server that answers the first piece of a stream, or nothing, and notes who leaves."""

    def __init__(self, moment: Moment) -> None:
        self._streams = moment == "within a stream"
        self._asked: asyncio.Future[None] | None = None
        self._left: asyncio.Future[float] | None = None
        self._peer: Peer | None = None

    async def one(self, port: int) -> float:
        """Ask, leave, and return the seconds until the server sees it."""
        loop = asyncio.get_running_loop()
        self._asked, self._left = loop.create_future(), loop.create_future()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(STREAM)
        await self._asked
        if self._streams:
            await reader.readuntil(b"word ")
        gone_at = time.perf_counter()
        writer.close()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await self._left - gone_at

    def asked(self, peer: Peer) -> None:
        """The question is here."""
        self._peer = peer
        if self._streams:
            peer.transport.write(HEAD + CHUNK)
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    def left(self, peer: Peer) -> None:
        """The gateway has cut a connection; it may be one that waited for nothing."""
        if peer is self._peer and self._left is not None and not self._left.done():
            self._left.set_result(time.perf_counter())


async def measure(folder: Path) -> list[Row]:
    """Return how long it took, many times, at both moments."""
    rows = []
    moments: tuple[Moment, ...] = ("before the first byte", "within a stream")
    for number, moment in enumerate(moments):
        watch = Watch(moment)
        server, port = await listen(partial(Peer, watch.asked, watch.left))
        place = folder / f"departures-{number}"
        place.mkdir()
        with Arena(place) as arena:
            gateway = await arena.product("gateway", port)
            await watch.one(gateway.port)  # The first one finds nothing read in yet.
            took = [await watch.one(gateway.port) * 1000 for _ in range(_TIMES)]
        server.close()
        title = f"client gone {moment}, until the upstream sees it"
        rows.append(Row(title, "ms", took, "p99", must=100, aim=20))
    return rows
