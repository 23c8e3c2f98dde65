"""The one outcome of a job: told first, then recorded, repeated until both are certain."""

from collections.abc import Callable
from typing import Generic

import structlog

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.events import JobEnded
from spark_common.jobs.kind import OUTCOME_STREAM, PROGRESS_STREAM, JobKind, as_told
from spark_common.jobs.record import RecordT
from spark_common.jobs.store import JobRecords
from spark_common.subjects import job_complete, job_failed, job_outcomes, job_progress

_log = structlog.get_logger()
_AGAIN_SECONDS = 2.0


class JobOutcomes(Generic[RecordT]):
    """Publishes outcomes; the first one stored for a job is the one that counts."""

    def __init__(
        self, bus: Bus, store: JobRecords[RecordT], kind: JobKind[RecordT], clock: Clock
    ) -> None:
        self._bus = bus
        self._store = store
        self._kind = kind
        self._clock = clock

    async def settle(
        self, record: RecordT, expected: int, writer: int, told: Callable[[RecordT], None]
    ) -> RecordT:
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
                _log.warning("job.outcome_unrecorded", job_id=record.id, kind=self._kind.name)
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                break
        _log.info(
            "job.finished",
            job_id=standing.id,
            kind=self._kind.name,
            outcome=standing.state.value,
            cause=standing.cause.code if standing.cause else None,
            took_seconds=round(standing.total_seconds(self._clock.now()), 1),
        )
        return standing

    async def publish(self, record: RecordT) -> RecordT:
        """Store the outcome event unless one stands; returns the job as the standing one says."""
        event = self._kind.outcome_event(record)
        done = isinstance(event, self._kind.complete)
        name = self._kind.name
        subject = job_complete(name, record.id) if done else job_failed(name, record.id)
        while True:
            result = await self._bus.publish_durable(
                subject,
                event,
                id=f"{record.id}:{name}:outcome",
                correlation_id=record.id,
                first_on=job_outcomes(name, record.id),
            )
            if isinstance(result, Stored):
                return record
            if isinstance(result, Duplicate | Refused):
                standing = await self._quietly(record.id)
                if standing is not None:
                    return as_told(record, standing)
            _log.warning("job.outcome_untold", job_id=record.id, result=type(result).__name__)
            await self._clock.sleep(_AGAIN_SECONDS)

    async def standing(self, id: str) -> JobEnded | None:
        """Return the outcome that is stored, or None. Raises UnavailableError."""
        kind = self._kind
        done = await self._bus.last_message(OUTCOME_STREAM, job_complete(kind.name, id))
        if done is not None and done.envelope is not None:
            return kind.complete.model_validate(done.envelope.data)
        failed = await self._bus.last_message(OUTCOME_STREAM, job_failed(kind.name, id))
        if failed is not None and failed.envelope is not None:
            return kind.failed.model_validate(failed.envelope.data)
        return None

    async def last_number(self, id: str) -> int:
        """Return the number of the last progress event that was told, 0 for none.

        A process that was killed may have told more than it recorded. Raises UnavailableError.
        """
        message = await self._bus.last_message(PROGRESS_STREAM, job_progress(self._kind.name, id))
        if message is None or message.envelope is None:
            return 0
        return self._kind.progress.model_validate(message.envelope.data).n

    async def _quietly(self, id: str) -> JobEnded | None:
        try:
            return await self.standing(id)
        except UnavailableError:
            return None
