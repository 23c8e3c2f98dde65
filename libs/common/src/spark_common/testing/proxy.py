"""A TCP relay on loopback that can fall silent or cut, as networks do."""

import asyncio
import contextlib
import socket
from typing import Self

_CHUNK = 65536


class TcpProxy:
    """Relays 127.0.0.1:``port`` to ``host``:``target``; use as an async context manager."""

    def __init__(self, target: int, host: str = "127.0.0.1") -> None:
        self.target = target
        self.host = host
        self.port = 0
        self.connections: list[float] = []
        """When each connection was made, on the loop's clock."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._void: list[socket.socket] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for one in self._void:
            one.close()
        self.cut()
        for relay in list(self._relays):
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def freeze(self) -> None:
        """Let nothing through in either direction; connections stay open, new ones too."""
        self._flowing.clear()

    def vanish(self) -> None:
        """Be gone as a machine that was switched off: nothing comes back, not even a refusal."""
        assert self._server is not None
        self.freeze()
        self._server.close()
        # A queue that is full and that nobody empties: whoever connects now hears nothing.
        self._void = [socket.socket() for _ in range(4)]
        full, *first = self._void
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind(("127.0.0.1", self.port))
        full.listen(0)
        for one in first:
            one.setblocking(False)
            one.connect_ex(full.getsockname())

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
            far_reader, far_writer = await asyncio.open_connection(self.host, self.target)
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
