"""Hears at once that a client left from whom nobody reads just now."""

import asyncio
import select
from collections.abc import Callable


class Departures:
    """One epoll for all such clients, itself a descriptor that the loop reads.

    A loop that does not read a socket does not hear its end either. Where there is no epoll this
    hears nothing, and ``hung_up`` finds out at the next sweep.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll: select.epoll | None = None
        self._clients: dict[int, Callable[[], None]] = {}

    def watch(self, transport: asyncio.Transport, left: Callable[[], None]) -> None:
        """Call ``left`` once, when the client has closed its side."""
        number = _number(transport)
        if number < 0 or not hasattr(select, "epoll"):
            return
        if self._epoll is None:
            self._epoll = select.epoll()
            self._loop.add_reader(self._epoll.fileno(), self._hear)
        self._clients[number] = left
        self._epoll.register(number, select.EPOLLRDHUP | select.EPOLLONESHOT)

    def forget(self, transport: asyncio.Transport) -> None:
        """Watch no longer, before the transport closes; harmless when nobody watches."""
        number = _number(transport)
        if self._clients.pop(number, None) is not None and self._epoll is not None:
            self._epoll.unregister(number)

    def close(self) -> None:
        """Nobody is watched any more."""
        epoll, self._epoll = self._epoll, None
        if epoll is not None:
            self._clients.clear()
            self._loop.remove_reader(epoll.fileno())
            epoll.close()

    def _hear(self) -> None:
        if self._epoll is None:
            return
        for number, _ in self._epoll.poll(0):
            left = self._clients.get(number)
            if left is not None:
                left()


def _number(transport: asyncio.Transport) -> int:
    sock = transport.get_extra_info("socket")
    return sock.fileno() if sock is not None else -1
