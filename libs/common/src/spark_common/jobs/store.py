"""What jobs need of their records; Redis keeps them."""

from dataclasses import dataclass
from typing import Generic, Protocol

from spark_common.jobs.record import RecordT


class StaleWriterError(Exception):
    """A newer process owns the record now, or it moved on since it was read."""


@dataclass(frozen=True)
class Created:
    """The record and its places among the living and in the history are written."""


@dataclass(frozen=True)
class Known(Generic[RecordT]):
    """The same request was accepted before."""

    record: RecordT


@dataclass(frozen=True)
class Conflicting:
    """The id belongs to another request."""


@dataclass(frozen=True)
class Busy:
    """A job with the same exclusive word is not over."""

    id: str


class JobRecords(Protocol[RecordT]):
    """The records of one kind. Every method raises UnavailableError when the store is away."""

    async def create(self, record: RecordT) -> Created | Known[RecordT] | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        ...

    async def get(self, id: str) -> RecordT | None:
        """Return a job, or None when it is not known (any more)."""
        ...

    async def live(self) -> list[RecordT]:
        """Return the jobs that are not over, oldest first."""
        ...

    async def recent(self, limit: int) -> list[RecordT]:
        """Return the latest jobs, newest first, whether over or not."""
        ...

    async def holder(self, exclusive: str) -> str | None:
        """Return the id of the living job with this exclusive word, or None."""
        ...

    async def save(self, record: RecordT, expected: int, writer: int) -> None:
        """Write a change if the record is still at ``expected`` or belongs to ``writer``.

        The first save claims the record for its writer. Raises StaleWriterError.
        """
        ...

    async def finish(self, record: RecordT, expected: int, writer: int) -> None:
        """Write the end likewise and let go of the exclusive word."""
        ...

    async def request_cancel(self, id: str, by: str) -> None:
        """Remember that somebody wants this job to stop; the first one is kept."""
        ...

    async def cancel_requested(self, id: str) -> str | None:
        """Return who wants it to stop, or None."""
        ...

    async def claim_writer(self) -> int:
        """Return a number higher than any before: that of a process that takes over."""
        ...
