"""Connections to upstreams: one at a time per request, kept for a few seconds between them."""

import asyncio
import socket
from collections import deque
from typing import Protocol, cast

from spark_gateway.dataplane.answer_head import AnswerHeads
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.sockets import watch_for_silence


class Borrower(Protocol):
    """Whoever holds a connection and is told what happens on it."""

    def answer_received(self, data: bytes) -> None:
        """Bytes from the upstream."""
        ...

    def upstream_lost(self, *, reset: bool) -> None:
        """The connection is gone, by the upstream's doing: reset, or closed in order."""
        ...

    def upstream_congested(self) -> None:
        """Stop sending for now."""
        ...

    def upstream_relieved(self) -> None:
        """Go on sending."""
        ...


class UpstreamConnection(asyncio.Protocol):
    """One connection, lent to at most one borrower."""

    __slots__ = ("_pool", "borrower", "congested", "idle_since", "reused", "transport")

    transport: asyncio.Transport

    def __init__(self, pool: "UpstreamPool") -> None:
        self._pool = pool
        self.borrower: Borrower | None = None
        self.congested = False
        self.reused = False
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; a host that vanished is noticed within half a minute."""
        self.transport = cast("asyncio.Transport", transport)
        watch_for_silence(self.transport)

    def data_received(self, data: bytes) -> None:
        """Pass on; bytes that nobody asked for end the connection."""
        if self.borrower is not None:
            self.borrower.answer_received(data)
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the borrower, or leave the pool."""
        borrower, self.borrower = self.borrower, None
        if borrower is not None:
            borrower.upstream_lost(reset=exc is not None)
        else:
            self._pool.forget(self)

    def pause_writing(self) -> None:
        """The upstream reads more slowly than the client sends."""
        self.congested = True
        if self.borrower is not None:
            self.borrower.upstream_congested()

    def resume_writing(self) -> None:
        """The upstream caught up."""
        self.congested = False
        if self.borrower is not None:
            self.borrower.upstream_relieved()

    def discard(self) -> None:
        """Cut the connection; its borrower hears nothing any more."""
        self.borrower = None
        self.transport.abort()


class UpstreamPool:
    """Idle connections to one upstream, the youngest first."""

    def __init__(self, upstream: Upstream, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = upstream
        self.limits = limits
        self._loop = loop
        self._idle: deque[UpstreamConnection] = deque()
        self._ahead: asyncio.Task[None] | None = None
        self.heads = AnswerHeads()
        """Reads what it answers."""

    def __len__(self) -> int:
        return len(self._idle)

    @property
    def unused(self) -> bool:
        """Whether it has no connection, nor will have one that it dialled ahead."""
        return not self._idle and self._ahead is None

    def take(self) -> UpstreamConnection | None:
        """Return an idle connection that is young enough to be alive, or None."""
        if not self._idle:
            return None
        connection = self._idle.pop()
        age = self._loop.time() - connection.idle_since
        if age > self.limits.idle_upstream_seconds or connection.transport.is_closing():
            # The youngest is too old, so all of them are.
            self._idle.append(connection)
            self.close_older_than(self.limits.idle_upstream_seconds)
            return None
        connection.reused = True
        return connection

    def put(self, connection: UpstreamConnection) -> None:
        """Give back a connection whose last answer is complete."""
        connection.borrower = None
        if connection.congested or len(self._idle) >= self.limits.idle_upstreams:
            connection.transport.abort()
            return
        connection.idle_since = self._loop.time()
        connection.transport.resume_reading()
        self._idle.append(connection)

    async def dial(self) -> UpstreamConnection:
        """Open a new connection, by IPv4 alone. Raises OSError, or ValueError for an odd name."""
        async with asyncio.timeout(self.limits.connect_seconds):
            _, connection = await self._loop.create_connection(
                lambda: UpstreamConnection(self),
                self.upstream.host,
                self.upstream.port,
                family=socket.AF_INET,
            )
        return connection

    def dial_ahead(self) -> None:
        """Have one idle connection soon, so that whoever comes next need not wait for a new one."""
        if not self._idle and self._ahead is None:
            self._ahead = self._loop.create_task(self._dial_ahead())

    async def _dial_ahead(self) -> None:
        try:
            self.put(await self.dial())
        except (OSError, ValueError):
            # Whoever needs one will hear what is wrong.
            pass
        finally:
            self._ahead = None

    def forget(self, connection: UpstreamConnection) -> None:
        """An idle connection is gone."""
        try:
            self._idle.remove(connection)
        except ValueError:
            pass

    def close_older_than(self, seconds: float) -> None:
        """Close what has been idle for longer than ``seconds``."""
        oldest = self._loop.time() - seconds
        while self._idle and (
            self._idle[0].idle_since <= oldest or self._idle[0].transport.is_closing()
        ):
            self._idle.popleft().transport.abort()
