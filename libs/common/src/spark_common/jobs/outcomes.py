"""The one outcome of a job: told first, then recorded, repeated until both are certain."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import structlog

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.events import Event, JobEnded
from spark_common.jobs.kind import OUTCOME_STREAM, PROGRESS_STREAM, JobKind
from spark_common.jobs.record import KeptT, RecordT
from spark_common.jobs.store import JobRecords, KeptRecords
from spark_common.subjects import job_complete, job_failed, job_outcomes, job_progress

_log = structlog.get_logger()
_AGAIN_SECONDS = 2.0
EndT = TypeVar("EndT", bound=Event)


class Outcomes(ABC, Generic[KeptT, EndT]):
    """Publishes outcomes; the first one stored for a job is the one that counts."""

    def __init__(
        self,
        bus: Bus,
        store: KeptRecords[KeptT],
        clock: Clock,
        *,
        kind: str,
        stream: str,
        complete: type[EndT],
        failed: type[EndT],
    ) -> None:
        self._bus = bus
        self._store = store
        self._clock = clock
        self._kind = kind
        self._stream = stream
        self._complete = complete
        self._failed = failed

    @abstractmethod
    def event(self, record: KeptT) -> EndT:
        """Return the event that tells how a job ended."""

    @abstractmethod
    def as_told(self, record: KeptT, event: EndT) -> KeptT:
        """Return the record with the end that a stored outcome says."""

    @abstractmethod
    def facts(self, record: KeptT) -> dict[str, Any]:
        """Return what the log says of a job that ended."""

    async def settle(
        self, record: KeptT, expected: int, writer: int, told: Callable[[KeptT], None]
    ) -> KeptT:
        """Tell and record the end of a job; returns the end that stands.

        ``told`` is called with it in between, as soon as the event is stored. Waits for the bus
        and for Redis as long as it takes. Raises StaleWriterError when the record belongs to a
        newer process.
        """
        standing = await self.publish(record)
        told(standing)
        while True:
            try:
                await self._store.finish(standing, expected, writer)
            except UnavailableError:
                _log.warning("job.outcome_unrecorded", job_id=record.id, kind=self._kind)
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                break
        _log.info(
            "job.finished",
            job_id=standing.id,
            kind=self._kind,
            cause=standing.cause.code if standing.cause else None,
            took_seconds=round(standing.total_seconds(self._clock.now()), 1),
            **self.facts(standing),
        )
        return standing

    async def publish(self, record: KeptT) -> KeptT:
        """Store the outcome event unless one stands; returns the job as the standing one says."""
        event = self.event(record)
        done = isinstance(event, self._complete)
        subject = (job_complete if done else job_failed)(self._kind, record.id)
        while True:
            result = await self._bus.publish_durable(
                subject,
                event,
                id=f"{record.id}:{self._kind}:outcome",
                correlation_id=record.id,
                first_on=job_outcomes(self._kind, record.id),
            )
            if isinstance(result, Stored):
                return record
            if isinstance(result, Duplicate | Refused):
                standing = await self._quietly(record.id)
                if standing is not None:
                    return self.as_told(record, standing)
            _log.warning("job.outcome_untold", job_id=record.id, result=type(result).__name__)
            await self._clock.sleep(_AGAIN_SECONDS)

    async def standing(self, id: str) -> EndT | None:
        """Return the outcome that is stored, or None. Raises UnavailableError."""
        done = await self._bus.last_message(self._stream, job_complete(self._kind, id))
        if done is not None and done.envelope is not None:
            return self._complete.model_validate(done.envelope.data)
        failed = await self._bus.last_message(self._stream, job_failed(self._kind, id))
        if failed is not None and failed.envelope is not None:
            return self._failed.model_validate(failed.envelope.data)
        return None

    async def _quietly(self, id: str) -> EndT | None:
        try:
            return await self.standing(id)
        except UnavailableError:
            return None


class JobOutcomes(Outcomes[RecordT, JobEnded]):
    """The outcomes of a kind of job that is no swap."""

    def __init__(
        self, bus: Bus, store: JobRecords[RecordT], kind: JobKind[RecordT], clock: Clock
    ) -> None:
        super().__init__(
            bus,
            store,
            clock,
            kind=kind.name,
            stream=OUTCOME_STREAM,
            complete=kind.complete,
            failed=kind.failed,
        )
        self._events = kind

    def event(self, record: RecordT) -> JobEnded:
        """Return the event that tells how a job ended."""
        return self._events.outcome_event(record)

    def as_told(self, record: RecordT, event: JobEnded) -> RecordT:
        """Return the record with the end that a stored outcome says."""
        return record.model_copy(
            update={
                "state": event.outcome,
                "message": event.message,
                "cause": event.cause,
                "eta_seconds": None,
                "finished_at": event.finished_at,
            }
        )

    def facts(self, record: RecordT) -> dict[str, Any]:
        """Return what the log says of a job that ended."""
        return {"outcome": record.state.value}

    async def last_number(self, id: str) -> int:
        """Return the number of the last progress event that was told, 0 for none.

        A process that was killed may have told more than it recorded. Raises UnavailableError.
        """
        message = await self._bus.last_message(PROGRESS_STREAM, job_progress(self._kind, id))
        if message is None or message.envelope is None:
            return 0
        return self._events.progress.model_validate(message.envelope.data).n
