"""What all connections of the data plane share: routes, bounds, meters, pools and one timer."""

import asyncio
import gc
import itertools
import secrets
from collections.abc import Callable
from typing import Protocol

from spark_gateway.dataplane.departures import Departures
from spark_gateway.dataplane.free import nobody_watches
from spark_gateway.dataplane.known_heads import KnownHeads
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Desk, Identity, Refusal, Upstream, Watching
from spark_gateway.dataplane.upstream import UpstreamPool


class Timed(Protocol):
    """A client connection with a point in loop time after which something must happen."""

    deadline: float
    caller: Identity

    def cut_off(self, why: Callable[[bytes], Refusal]) -> None:
        """End the request under way; from its path to what is said."""
        ...

    def expire(self, now: float) -> None:
        """The deadline has passed."""
        ...


class Plane:
    """The shared side of all client connections of one server."""

    def __init__(
        self,
        desk: Desk,
        limits: Limits,
        meters: Meters,
        served_name: Callable[[], str] = lambda: "",
        watching: Watching = nobody_watches,
        body_limit: Callable[[bytes], int] | None = None,
    ) -> None:
        """``body_limit``: most bytes of a body, by path; those of ``limits`` unless given."""
        self.desk = desk
        self.watching = watching
        self.served_name = served_name
        """The model that is served now, for the counts."""
        self.limits = limits
        self.body_limit = body_limit or (lambda path: limits.body_bytes)
        self.meters = meters
        self.heads = KnownHeads()
        self.kept_bytes = 0
        """Of bodies that wait in memory until something is decided about their requests."""
        self._departures: Departures | None = None
        self._connections: set[Timed] = set()
        self._pools: dict[Upstream, UpstreamPool] = {}
        self._last_pool: UpstreamPool | None = None
        """The one asked for last, which needs no search."""
        self._sweep: asyncio.TimerHandle | None = None
        self._settled = False
        self._id_prefix = b"req-%b-" % secrets.token_hex(6).encode("ascii")
        self._id_numbers = itertools.count(1)

    def join(self, connection: Timed, loop: asyncio.AbstractEventLoop) -> None:
        """A client connected."""
        self._connections.add(connection)
        self.meters.connections = len(self._connections)
        if not self._settled:
            self._settled = True
            settle_memory()
        if self._sweep is None:
            self._sweep = loop.call_later(self.limits.sweep_seconds, self._look_around, loop)

    def leave(self, connection: Timed) -> None:
        """A client is gone."""
        self._connections.discard(connection)
        self.meters.connections = len(self._connections)
        if not self._connections and self._departures is not None:
            self._departures.close()

    def departures(self, loop: asyncio.AbstractEventLoop) -> Departures:
        """Who hears that a client left while nobody read from it."""
        if self._departures is None:
            self._departures = Departures(loop)
        return self._departures

    def cut(self, identity: Identity, why: Callable[[bytes], Refusal]) -> None:
        """End what is done for somebody who may not ask any more."""
        for connection in [each for each in self._connections if each.caller is identity]:
            connection.cut_off(why)

    def pool(self, upstream: Upstream, loop: asyncio.AbstractEventLoop) -> UpstreamPool:
        """The connections to an upstream."""
        pool = self._last_pool
        if pool is None or pool.upstream is not upstream:
            pool = self._pools.get(upstream)
            if pool is None:
                pool = self._pools[upstream] = UpstreamPool(upstream, self.limits, loop)
            self._last_pool = pool
        return pool

    def new_request_id(self) -> bytes:
        """A fresh x-request-id: unique, cheap, not secret."""
        return b"%b%x" % (self._id_prefix, next(self._id_numbers))

    def _look_around(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for everything, instead of several per request."""
        now = loop.time()
        for connection in self._connections:
            if connection.deadline <= now:
                # By itself: what goes wrong with one is nothing to the others, or to this timer.
                loop.call_soon(self._expire, connection, loop)
        for upstream, pool in list(self._pools.items()):
            pool.close_older_than(self.limits.idle_upstream_seconds)
            if pool.unused and not self.meters.in_flight(upstream.name):
                del self._pools[upstream]
                self._last_pool = None
        self._sweep = None
        if self._connections or self._pools:
            self._sweep = loop.call_later(self.limits.sweep_seconds, self._look_around, loop)

    @staticmethod
    def _expire(connection: Timed, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        if connection.deadline <= now:
            connection.expire(now)


def settle_memory() -> None:
    """Take everything made at start out of the collector's sight: it is there to stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
