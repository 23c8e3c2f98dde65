"""Runs the jobs of one kind: accepts them, carries them on after a restart, brings each to an end.

A job's work is written so that it can be begun again at any point: what it does on a host goes
through ``remote.detached``, where every step of a job runs at most once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import (
    IdempotencyConflictError,
    JobInProgressError,
    NotFoundError,
    SparkError,
    UnavailableError,
)
from spark_common.jobs.journal import JobJournal
from spark_common.jobs.kind import JobKind
from spark_common.jobs.outcomes import JobOutcomes
from spark_common.jobs.record import RecordT
from spark_common.jobs.store import (
    Busy,
    Conflicting,
    Created,
    JobRecords,
    Known,
    StaleWriterError,
)
from spark_common.jobs.teller import Teller
from spark_common.jobs.telling import masked
from spark_common.logs.redact import mask_secrets
from spark_common.tasks import end, together

_log = structlog.get_logger()
_SWEEP_SECONDS = 3.0


@dataclass(frozen=True)
class Ending:
    """How the work of a job ended: complete, failed or cancelled, and what people read."""

    state: JobState
    message: str
    cause: Cause | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the record."""

    @classmethod
    def because(cls, cause: Cause, now: str = "") -> "Ending":
        """Return the end of a job that did not do what it was for; ``now``: how things are."""
        state = JobState.CANCELLED if cause.code == "cancelled" else JobState.FAILED
        return cls(state, f"{cause.sentence} {now}".strip(), cause)


class Work(Protocol[RecordT]):
    """What a kind of job does."""

    async def __call__(self, journal: JobJournal[RecordT]) -> Ending:
        """Carry the job from where its record stands to its end.

        Called again with the same record after a restart. A SparkError ends it as failed.
        """
        ...


class JobRunner(Generic[RecordT]):
    """The living jobs of one kind in this process."""

    def __init__(
        self,
        *,
        kind: JobKind[RecordT],
        store: JobRecords[RecordT],
        bus: Bus,
        clock: Clock,
        work: Work[RecordT],
        after: Callable[[RecordT], Awaitable[None]] | None = None,
    ) -> None:
        """``after`` is called with every job that ended here, when its end is recorded."""
        self._kind = kind
        self._store = store
        self._bus = bus
        self._clock = clock
        self._work = work
        self._after = after
        self._teller = Teller(bus)
        self._outcomes = JobOutcomes(bus, store, kind, clock)
        self._journals: dict[str, JobJournal[RecordT]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writer: int | None = None

    async def run(self) -> None:
        """Carry on what lives, and look for more of it again and again, for ever."""
        try:
            await together([self._teller.run, self._sweep])
        finally:
            await end(list(self._tasks.values()))

    async def request(self, record: RecordT) -> RecordT:
        """Accept a job, or return the one that the same request made before.

        Raises JobInProgressError (``job_id``), IdempotencyConflictError, UnavailableError while
        Redis or the event bus is away.
        """
        if not self._bus.health().connected:
            raise UnavailableError("the event bus is away: nothing is started now; try again soon")
        await self._claim()
        answer = await self._store.create(record)
        match answer:
            case Created():
                self._launch(record)
                return record
            case Known():
                return self.fresh(answer.record)
            case Busy():
                raise JobInProgressError(
                    f"a {self._kind.name} of {record.exclusive} runs already", job_id=answer.id
                )
            case Conflicting():
                raise self._conflict(record.id)

    async def repeated(self, id: str | None, body_sha256: str) -> RecordT | None:
        """Return the job that the same request made before, whatever may be refused by now.

        Raises IdempotencyConflictError when the id belongs to another request,
        UnavailableError.
        """
        if id is None:
            return None
        try:
            record = await self.get(id)
        except NotFoundError:
            return None
        if record.body_sha256 != body_sha256:
            raise self._conflict(id)
        return record

    async def get(self, id: str) -> RecordT:
        """Return a job; raises NotFoundError, UnavailableError."""
        if (journal := self._journals.get(id)) is not None:
            return journal.record
        record = await self._store.get(id)
        if record is None:
            raise NotFoundError(f"there is no {self._kind.name} {id!r}", id=id)
        return record

    async def live(self) -> list[RecordT]:
        """Return the jobs that are not over, oldest first. Raises UnavailableError."""
        return [now for job in await self._store.live() if not (now := self.fresh(job)).over]

    async def recent(self, limit: int) -> list[RecordT]:
        """Return the latest jobs, newest first. Raises UnavailableError."""
        return [self.fresh(record) for record in await self._store.recent(limit)]

    async def holder(self, exclusive: str) -> str | None:
        """Return the id of the living job with this exclusive word. Raises UnavailableError."""
        return await self._store.holder(exclusive)

    async def cancel(self, id: str, by: str) -> RecordT:
        """Ask a job to stop; one that is over stays as it is.

        Raises NotFoundError, UnavailableError.
        """
        record = await self.get(id)
        if record.over:
            return record
        await self._store.request_cancel(id, by)
        if (journal := self._journals.get(id)) is not None:
            journal.cancel(by)
        return await self.get(id)

    def fresh(self, record: RecordT) -> RecordT:
        """Return the job as this process knows it, which is newer than any record of it."""
        journal = self._journals.get(record.id)
        return journal.record if journal is not None else record

    def _conflict(self, id: str) -> IdempotencyConflictError:
        return IdempotencyConflictError(
            f"the key {id!r} belongs to another {self._kind.name}", id=id
        )

    async def _claim(self) -> int:
        if self._writer is None:
            self._writer = await self._store.claim_writer()
        return self._writer

    async def _sweep(self) -> None:
        while True:
            try:
                await self._claim()
                for record in await self._store.live():
                    await self._carry_on(record)
            except UnavailableError as error:
                _log.debug("job.sweep_later", kind=self._kind.name, why=error.message)
            await self._clock.sleep(_SWEEP_SECONDS)

    async def _carry_on(self, record: RecordT) -> None:
        by = await self._store.cancel_requested(record.id)
        if record.id not in self._tasks:
            # It may have ended between the reading of the list and now.
            current = await self._store.get(record.id)
            if current is None or current.over or record.id in self._tasks:
                return
            _log.info("job.carried_on", job_id=record.id, kind=self._kind.name, step=current.step)
            self._launch(current)
        if by is not None and (journal := self._journals.get(record.id)) is not None:
            journal.cancel(by)

    def _launch(self, record: RecordT) -> None:
        if record.id in self._tasks or self._writer is None:
            return
        journal = self._journals[record.id] = JobJournal(
            record,
            kind=self._kind,
            store=self._store,
            teller=self._teller,
            clock=self._clock,
            writer=self._writer,
        )
        task = asyncio.create_task(self._carry_out(journal))
        self._tasks[record.id] = task
        task.add_done_callback(lambda _: self._forget(record.id))

    def _forget(self, id: str) -> None:
        self._tasks.pop(id, None)
        self._journals.pop(id, None)

    async def _carry_out(self, journal: JobJournal[RecordT]) -> None:
        try:
            if not await self._told_before(journal):
                await self._finish(journal, await self._worked(journal))
        except StaleWriterError:
            _log.warning("job.taken_over", job_id=journal.record.id, kind=self._kind.name)
        except Exception:
            # Nothing is told: the job lives, and the next sweep carries it on.
            _log.exception("job.dropped", job_id=journal.record.id, kind=self._kind.name)

    async def _told_before(self, journal: JobJournal[RecordT]) -> bool:
        """Bring a record up to an outcome or a number that was told before it.

        A process that was killed told more than it recorded; and when the store lost its data, a
        request that is repeated with its id is a new record of a job that had its end.
        """
        record = journal.record
        while True:
            try:
                standing = await self._outcomes.standing(record.id)
                told = await self._outcomes.last_number(record.id)
            except UnavailableError:
                await self._clock.sleep(_SWEEP_SECONDS)
            else:
                break
        if standing is None:
            await journal.adopt(n=max(told, record.n))
            return False
        await self._finish(journal, self._outcomes.as_told(record, standing).amend())
        return True

    async def _worked(self, journal: JobJournal[RecordT]) -> RecordT:
        try:
            ending = await self._work(journal)
        except StaleWriterError:
            raise
        except SparkError as error:
            sentence = mask_secrets(error.message)
            cause = Cause(code=error.code, sentence=sentence, action="Try again.")
            ending = Ending(JobState.FAILED, sentence, cause)
        except Exception:
            _log.exception("job.crashed", job_id=journal.record.id, kind=self._kind.name)
            sentence = "Something unexpected happened in spark-control itself."
            action = "Try again; if it happens again, look at the service's log."
            cause = Cause(code="internal", sentence=sentence, action=action)
            ending = Ending(JobState.FAILED, sentence, cause)
        await journal.flush()
        said = masked(ending.cause) if ending.cause is not None else None
        return journal.record.end(
            ending.state, self._clock.now(), ending.message, said, **ending.facts
        )

    async def _finish(self, journal: JobJournal[RecordT], ended: RecordT) -> None:
        # Whoever lost the record to a newer process tells no outcome either.
        await journal.save()
        await self._teller.flushed()
        expected = journal.stored_revision
        writer = await self._claim()
        standing = await self._outcomes.settle(ended, expected, writer, journal.conclude)
        if self._after is not None:
            with suppress(SparkError):
                await self._after(standing)
