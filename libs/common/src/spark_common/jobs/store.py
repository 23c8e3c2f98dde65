"""What jobs need of their records; Redis keeps them."""

from dataclasses import dataclass
from typing import Generic, Protocol

from spark_common.jobs.record import KeptT, RecordT


class StaleWriterError(Exception):
    """A newer process owns the record now, or it moved on since it was read."""


@dataclass(frozen=True)
class Created:
    """The record and its places among the living and in the history are written."""


@dataclass(frozen=True)
class Known(Generic[KeptT]):
    """The same request was accepted before."""

    record: KeptT


@dataclass(frozen=True)
class Conflicting:
    """The id belongs to another request."""


@dataclass(frozen=True)
class Busy:
    """Another job is not over that this one would be in the way of."""

    id: str


class KeptRecords(Protocol[KeptT]):
    """What every job needs of its records. Each method raises UnavailableError when they are away.

    A record is written by one process at a time, which ``writer`` numbers: the higher one counts.
    """

    async def get(self, id: str) -> KeptT | None:
        """Return a job, or None when it is not known (any more)."""
        ...

    async def live(self) -> list[KeptT]:
        """Return the jobs that are not over, oldest first."""
        ...

    async def save(self, record: KeptT, expected: int, writer: int) -> None:
        """Write a change if the record is still at ``expected`` or belongs to ``writer``.

        The first save claims the record for its writer. Raises StaleWriterError.
        """
        ...

    async def finish(self, record: KeptT, expected: int, writer: int) -> None:
        """Write the end likewise; the job lives no longer."""
        ...

    async def request_cancel(self, id: str, by: str) -> None:
        """Remember that somebody wants this job to stop; the first one is kept."""
        ...

    async def cancel_requested(self, id: str) -> str | None:
        """Return who wants it to stop, or None."""
        ...


class JobRecords(KeptRecords[RecordT], Protocol[RecordT]):
    """The records of one kind of job that is no swap; the end lets go of its exclusive word."""

    async def create(self, record: RecordT) -> Created | Known[RecordT] | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        ...

    async def recent(self, limit: int) -> list[RecordT]:
        """Return the latest jobs, newest first, whether over or not."""
        ...

    async def holder(self, exclusive: str) -> str | None:
        """Return the id of the living job with this exclusive word, or None."""
        ...

    async def claim_writer(self) -> int:
        """Return a number higher than any before: that of a process that takes over."""
        ...
