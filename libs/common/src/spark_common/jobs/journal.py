"""The one writer of a running job: saves every change, then tells it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Generic

import structlog

from spark_common.clock import Clock
from spark_common.jobs.kind import JobKind
from spark_common.jobs.record import RecordT
from spark_common.jobs.saving import Saving
from spark_common.jobs.store import JobRecords
from spark_common.jobs.teller import News, Teller
from spark_common.jobs.telling import fitting, presentable
from spark_common.subjects import job_progress

_log = structlog.get_logger()
_TELL_EVERY_SECONDS = 0.2


class JobJournal(Generic[RecordT]):
    """Holds a job while it runs.

    While Redis is away the job goes on and its latest state is written when Redis is back. A
    record that belongs to a newer process raises StaleWriterError: this one must let go of it.
    """

    def __init__(
        self,
        record: RecordT,
        *,
        kind: JobKind[RecordT],
        store: JobRecords[RecordT],
        teller: Teller,
        clock: Clock,
        writer: int,
    ) -> None:
        self._record = record
        self._kind = kind
        self._teller = teller
        self._clock = clock
        self._saving = Saving(record, store, clock=clock, writer=writer)
        self._lines: list[str] = []
        self._told_at: float | None = None
        self._cancel = asyncio.Event()
        self._cancelled_by: str | None = None

    @property
    def record(self) -> RecordT:
        """The job as of now."""
        return self._record

    @property
    def stored_revision(self) -> int:
        """The last revision that is known to be in the store."""
        return self._saving.stored_revision

    @property
    def cancelled_by(self) -> str | None:
        """Who wants the job to stop, or None."""
        return self._cancelled_by

    def cancel(self, by: str) -> None:
        """Remember that somebody wants the job to stop; whoever waits in ``pause`` goes on."""
        self._cancelled_by = self._cancelled_by or by
        self._cancel.set()

    async def pause(self, seconds: float) -> bool:
        """Wait, at most until somebody cancels; return whether somebody did."""
        if self._cancel.is_set():
            return True
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._cancel.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return self._cancel.is_set()

    async def enter(self, step: str, message: str, **facts: Any) -> None:
        """Move to the next step, of which ``facts`` are fields: save, then tell."""
        previous = self._record.step
        moved = self._record.enter(step, self._clock.now(), message)
        self._record = moved.model_copy(update=facts)
        _log.info("job.step_changed", job_id=self._record.id, kind=self._kind.name, step=step)
        await self._save_and_tell(previous)

    async def note(
        self, message: str | None = None, *, lines: Sequence[str] = (), **facts: Any
    ) -> None:
        """Keep what is new within the step; tells at most five times a second."""
        self._lines.extend(presentable(lines))
        if message is not None:
            facts["message"] = message
        new = {name: value for name, value in facts.items() if getattr(self._record, name) != value}
        if new:
            self._record = self._record.amend(**new)
        if (new or self._lines) and self._may_tell():
            await self._save_and_tell(None)
        elif self._saving.behind:
            await self.save()

    async def adopt(self, **facts: Any) -> None:
        """Save facts without telling them."""
        self._record = self._record.amend(**facts)
        await self.save()

    async def flush(self) -> None:
        """Tell the lines that wait; what is concluded tells none any more."""
        if self._lines:
            await self._save_and_tell(None)

    def conclude(self, ended: RecordT) -> None:
        """Show the end, which is stored as an event."""
        self._record = ended

    async def save(self) -> None:
        """Write the record, unless Redis was away just now. Raises StaleWriterError."""
        await self._saving.save(self._record)

    def _may_tell(self) -> bool:
        now = self._clock.monotonic()
        return self._told_at is None or now - self._told_at >= _TELL_EVERY_SECONDS

    async def _save_and_tell(self, previous: str | None) -> None:
        record = self._record = self._record.amend(n=self._record.n + 1)
        await self.save()
        self._told_at = self._clock.monotonic()
        lines, self._lines = fitting(self._lines), []
        event = self._kind.progress_event(record, previous, lines, self._clock.now())
        kind = self._kind.name
        message_id = f"{record.id}:{kind}:{record.n}"
        self._teller.tell(News(job_progress(kind, record.id), event, message_id, record.id))
