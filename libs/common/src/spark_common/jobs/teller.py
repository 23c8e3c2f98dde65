"""Tells the progress of jobs in order, without ever holding a job up."""

import asyncio
from dataclasses import dataclass

import structlog

from spark_common.bus.port import Bus, Duplicate, Stored
from spark_common.events import Event

_log = structlog.get_logger()
_WAITING = 500
"""Events kept while the bus is away; then the oldest go, the record holds what counts."""


@dataclass(frozen=True)
class News:
    """A progress event on its way; ``id`` is the same whenever this very one is told again."""

    subject: str
    event: Event
    id: str
    job_id: str


class Teller:
    """Publishes progress events one after the other from its own task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: asyncio.Queue[News] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()

    def tell(self, news: News) -> None:
        """Take an event; returns at once."""
        if self._waiting.qsize() >= _WAITING:
            self._waiting.get_nowait()
        self._waiting.put_nowait(news)
        self._idle.clear()

    async def flushed(self) -> None:
        """Return when everything taken so far was published or given up."""
        await self._idle.wait()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            news = await self._waiting.get()
            result = await self._bus.publish_durable(
                news.subject, news.event, id=news.id, correlation_id=news.job_id
            )
            if not isinstance(result, Stored | Duplicate):
                _log.warning("job.progress_lost", job_id=news.job_id, id=news.id, why=result.reason)
            if self._waiting.empty():
                self._idle.set()
