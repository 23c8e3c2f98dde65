"""What tells one kind of job from another: its word, its record and its events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from spark_common.contracts.jobs import JobState
from spark_common.events import JobEnded, JobProgress
from spark_common.jobs.record import RecordT

PROGRESS_STREAM = "SC_JOB_PROGRESS"
OUTCOME_STREAM = "SC_JOB_EVT"


@dataclass(frozen=True)
class JobKind(Generic[RecordT]):
    """A kind of job. ``name`` is the first word of its subjects and its Redis keys."""

    name: str
    record: type[RecordT]
    progress: type[JobProgress]
    complete: type[JobEnded]
    failed: type[JobEnded]
    progress_facts: Callable[[RecordT], dict[str, Any]]
    """The fields that its progress event has beyond those of ``JobProgress``."""
    end_facts: Callable[[RecordT], dict[str, Any]]
    """The fields that its outcomes have beyond those of ``JobEnded``; what one of the two
    classes does not have is left out."""

    def progress_event(
        self, record: RecordT, previous_step: str | None, lines: list[str], at: datetime
    ) -> JobProgress:
        """Return the event that tells where a job stands."""
        return self.progress(
            job_id=record.id,
            n=record.n,
            step=record.step,
            previous_step=previous_step,
            percent=record.percent,
            eta_seconds=record.eta_seconds,
            message=record.message,
            lines=lines,
            at=at,
            **self.progress_facts(record),
        )

    def outcome_event(self, record: RecordT) -> JobEnded:
        """Return the event that tells how a job ended."""
        event = self.complete if record.state is JobState.COMPLETE else self.failed
        finished_at = record.finished_at or record.created_at
        facts = self.end_facts(record)
        return event(
            job_id=record.id,
            requested_by=record.requested_by,
            outcome=record.state,
            message=record.message,
            cause=record.cause,
            total_seconds=round(record.total_seconds(finished_at), 3),
            finished_at=finished_at,
            **{name: value for name, value in facts.items() if name in event.model_fields},
        )
