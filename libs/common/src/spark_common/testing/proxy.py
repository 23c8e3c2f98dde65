"""A TCP relay on loopback that can fall silent or cut, as networks do."""

import asyncio
import contextlib
from typing import Self

_CHUNK = 65536


class TcpProxy:
    """Relays 127.0.0.1:``port`` to 127.0.0.1:``target``; use as an async context manager."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections: list[float] = []
        """When each connection was made, on the loop's clock."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for relay in list(self._relays):
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def freeze(self) -> None:
        """Let nothing through in either direction; connections stay open, new ones too."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let everything through again, what was held back first."""
        self._flowing.set()

    def cut(self) -> None:
        """Reset all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.append(asyncio.get_running_loop().time())
        self._relays.add(task)
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(far_writer)
            try:
                await asyncio.gather(
                    self._relay(reader, far_writer), self._relay(far_reader, writer)
                )
            finally:
                far_writer.transport.abort()
                self._writers.discard(far_writer)
        except (OSError, asyncio.CancelledError):
            return
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._relays.discard(task)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
