"""One address before several replicas: each connection goes to the next one that answers."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Self


class Balancer:
    """Use as an async context manager; ``url`` is the one address."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.served: Counter[int] = Counter()
        """Connections by the port of the replica."""
        self.url = ""
        self._ports = list(ports)
        self._turn = itertools.count()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(self._turn) % len(self._ports)
        for port in self._ports[first:] + self._ports[:first]:
            try:
                far = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            self.served[port] += 1
            await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))
            return
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
