"""Tells the progress of jobs in order, without ever holding a job up."""

import asyncio

import structlog

from spark_common.bus.port import Bus, Duplicate, Stored
from spark_common.events import JobProgress
from spark_common.subjects import job_progress

_log = structlog.get_logger()
_WAITING = 500
"""Events kept while the bus is away; then the oldest go, the record holds what counts."""


class JobTeller:
    """Publishes the progress events of one kind one after the other from its own task."""

    def __init__(self, bus: Bus, kind: str) -> None:
        self._bus = bus
        self._kind = kind
        self._waiting: asyncio.Queue[JobProgress] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()

    def tell(self, event: JobProgress) -> None:
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
                job_progress(self._kind, event.job_id),
                event,
                id=f"{event.job_id}:{self._kind}:{event.n}",
                correlation_id=event.job_id,
            )
            if not isinstance(result, Stored | Duplicate):
                _log.warning("job.progress_lost", job_id=event.job_id, n=event.n, why=result.reason)
            if self._waiting.empty():
                self._idle.set()
