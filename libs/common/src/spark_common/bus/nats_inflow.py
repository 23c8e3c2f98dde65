"""The messages of one subscription, as something to wait for."""

import asyncio
from collections.abc import Callable
from typing import Any

import nats.errors
import structlog
from nats.aio.msg import Msg

from spark_common.bus.nats_link import NatsLink
from spark_common.errors import UnavailableError

log = structlog.get_logger(__name__)


class Inflow:
    """Messages of one subscription; None in between means "look around you"."""

    def __init__(self, link: NatsLink, limit: int) -> None:
        self._link = link
        self._queue: asyncio.Queue[Msg | None] = asyncio.Queue(limit)
        self._stop: Callable[[], Any] | None = None

    async def open(self, subject: str) -> None:
        """Subscribe; returns when the server knows. Raises UnavailableError, also when refused."""
        self._link.refusals.asked_again(subject)
        subscription = await self._link.guarded(
            self._link.client.subscribe(subject, cb=self._queue.put)
        )
        self._stop = subscription.unsubscribe
        self._link.readers.add(self)
        await self._link.flush()
        if self._link.refusals.listening(subject):
            raise UnavailableError(f"no permission to listen to {subject}")

    async def next(self, timeout_seconds: float | None = None) -> Msg | None:
        """Return the next message; None after a reconnect, at the end, or in time."""
        if self._link.closing and self._queue.empty():
            return None
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._queue.get()
        except TimeoutError:
            return None

    def nudge(self) -> None:
        """Wake the reader without a message; one that has messages is awake."""
        if self._queue.empty():
            self._queue.put_nowait(None)

    def rest(self) -> list[Msg]:
        """Take what is still here, without waiting."""
        left = []
        while not self._queue.empty():
            message = self._queue.get_nowait()
            if message is not None:
                left.append(message)
        return left

    async def close(self) -> None:
        """Unsubscribe, as far as anybody still hears it."""
        self._link.readers.discard(self)
        if self._stop is not None:
            try:
                await self._stop()
            except nats.errors.Error:
                log.debug("bus.unsubscribe_unheard")
