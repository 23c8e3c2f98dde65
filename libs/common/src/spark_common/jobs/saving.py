"""Writes the latest state of a job, late when Redis is away."""

from typing import Generic

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.jobs.record import KeptT
from spark_common.jobs.store import KeptRecords

_log = structlog.get_logger()
_AGAIN_SECONDS = 5.0


class Saving(Generic[KeptT]):
    """The way of one job's states into the store, as one writer."""

    def __init__(
        self, record: KeptT, store: KeptRecords[KeptT], *, clock: Clock, writer: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self._stored_revision = record.revision
        self._again_at: float | None = None

    @property
    def stored_revision(self) -> int:
        """The last revision that is known to be in the store."""
        return self._stored_revision

    @property
    def behind(self) -> bool:
        """Whether the store was away, so that the latest state has still to be written."""
        return self._again_at is not None

    async def save(self, record: KeptT) -> None:
        """Write the record, unless Redis was away just now. Raises StaleWriterError."""
        now = self._clock.monotonic()
        if self._again_at is not None and now < self._again_at:
            return
        try:
            await self._store.save(record, self._stored_revision, self._writer)
        except UnavailableError:
            if self._again_at is None:
                _log.warning("job.record_behind", job_id=record.id)
            self._again_at = now + _AGAIN_SECONDS
            return
        self._stored_revision = record.revision
        self._again_at = None
