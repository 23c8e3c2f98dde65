"""Tells the progress of a swap in order, without ever holding the swap up."""

import asyncio

import structlog

from spark_common.bus.port import Bus, Duplicate, Stored
from spark_common.events import SwapProgress
from spark_common.subjects import swap_progress

_log = structlog.get_logger()
_WAITING = 500
"""Events kept while the bus is away; then the oldest go, the record holds what counts."""


class Teller:
    """Publishes progress events one after the other from its own task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: asyncio.Queue[SwapProgress] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()

    def tell(self, event: SwapProgress) -> None:
        """Take an event; returns at once."""
        if self._waiting.qsize() >= _WAITING:
            self._waiting.get_nowait()
        self._waiting.put_nowait(event)
        self._idle.clear()

    async def flushed(self) -> None:
        """Return when everything taken so far was published or given up."""
        await self._idle.wait()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            event = await self._waiting.get()
            result = await self._bus.publish_durable(
                swap_progress(event.swap_id),
                event,
                id=f"{event.swap_id}:{event.attempt}:{event.n}",
                correlation_id=event.swap_id,
            )
            if not isinstance(result, Stored | Duplicate):
                _log.warning(
                    "swap.progress_lost", swap_id=event.swap_id, n=event.n, why=result.reason
                )
            if self._waiting.empty():
                self._idle.set()
