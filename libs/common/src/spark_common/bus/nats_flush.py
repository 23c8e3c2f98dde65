"""Waiting until the server has handled what was sent, without waiting for what never comes."""

import asyncio

import nats.errors
import structlog
from nats.aio.client import Client

from spark_common.errors import UnavailableError

AWAY = "the event bus does not answer"
_SECONDS = 5.0
_LONGEST_SECONDS = 60

log = structlog.get_logger(__name__)


class Flushes:
    """The round trips that are under way on one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._running: set[asyncio.Task[None]] = set()
        self._cut = asyncio.Event()

    async def flush(self) -> None:
        """Wait for the server, five seconds at most. Raises UnavailableError."""
        if not self._client.is_connected:
            raise UnavailableError(AWAY)
        # A pong that finds its waiter cancelled ends nats-py's read loop, so the inner wait
        # outlives ours, until the pings have noticed a dead connection.
        flushing = asyncio.create_task(self._round_trips())
        self._running.add(flushing)
        flushing.add_done_callback(self._ended)
        # What a connection that was cut still owed us never comes.
        cut = asyncio.create_task(self._cut.wait())
        try:
            await asyncio.wait(
                {flushing, cut}, timeout=_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            cut.cancel()
        if not flushing.done():
            raise UnavailableError(AWAY)
        try:
            await flushing
        except (nats.errors.Error, OSError) as error:
            raise UnavailableError(AWAY) from error

    def disconnected(self) -> None:
        """The connection is gone: nobody waits for its answers any longer."""
        self._cut.set()
        self._cut = asyncio.Event()

    def close(self) -> None:
        """End what is still under way."""
        for flushing in self._running:
            flushing.cancel()

    async def _round_trips(self) -> None:
        # nats-py writes a ping past what is queued for writing; only the next one comes behind it.
        await self._client.flush(_LONGEST_SECONDS)
        await self._client.flush(_LONGEST_SECONDS)

    def _ended(self, flushing: asyncio.Task[None]) -> None:
        self._running.discard(flushing)
        if not flushing.cancelled() and flushing.exception() is not None:
            log.debug("bus.flush_unanswered")
