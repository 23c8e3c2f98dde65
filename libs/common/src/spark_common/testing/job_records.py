"""Job records in memory, with the rules of the Lua scripts; both sit the same exam."""

from dataclasses import dataclass
from typing import Generic

from spark_common.errors import UnavailableError
from spark_common.jobs.record import KeptT, RecordT
from spark_common.jobs.store import Busy, Conflicting, Created, Known, StaleWriterError


@dataclass
class _Row(Generic[KeptT]):
    record: KeptT
    revision: int
    writer: int = 0
    over: bool = False
    cancelled_by: str | None = None


class MemoryRows(Generic[KeptT]):
    """What the stores of all kinds of jobs have in common.

    ``away`` plays an outage, ``forget`` a lost disk.
    """

    def __init__(self) -> None:
        self.away = False
        self._rows: dict[str, _Row[KeptT]] = {}
        self._live: list[str] = []

    def forget(self) -> None:
        """Lose everything."""
        self._rows.clear()
        self._live.clear()

    async def get(self, id: str) -> KeptT | None:
        """Return a job or None."""
        self._require()
        row = self._rows.get(id)
        return row.record if row else None

    async def live(self) -> list[KeptT]:
        """Return the jobs that are not over, oldest first."""
        self._require()
        rows = [self._rows[job_id].record for job_id in self._live]
        return sorted(rows, key=lambda record: record.created_at)

    async def save(self, record: KeptT, expected: int, writer: int) -> None:
        """Write a change."""
        if self._write(record, expected, writer, over=False) and record.id not in self._live:
            self._live.append(record.id)

    async def finish(self, record: KeptT, expected: int, writer: int) -> None:
        """Write the end."""
        if self._write(record, expected, writer, over=True):
            self._ended(record)
            if record.id in self._live:
                self._live.remove(record.id)

    async def request_cancel(self, id: str, by: str) -> None:
        """Remember who wants it to stop."""
        self._require()
        row = self._rows.get(id)
        if row is not None and row.cancelled_by is None:
            row.cancelled_by = by

    async def cancel_requested(self, id: str) -> str | None:
        """Return who wants it to stop."""
        self._require()
        row = self._rows.get(id)
        return row.cancelled_by if row else None

    def _newest_first(self) -> list[KeptT]:
        self._require()
        rows = [row.record for row in self._rows.values()]
        return sorted(rows, key=lambda record: record.created_at, reverse=True)

    def _known(self, record: KeptT) -> Known[KeptT] | Conflicting | None:
        self._require()
        row = self._rows.get(record.id)
        if row is None:
            return None
        same = row.record.body_sha256 == record.body_sha256
        return Known(row.record) if same else Conflicting()

    def _accept(self, record: KeptT) -> None:
        self._rows[record.id] = _Row(record, 1)
        self._live.append(record.id)

    def _write(self, record: KeptT, expected: int, writer: int, *, over: bool) -> bool:
        """Write when allowed; False when exactly this end is written already."""
        self._require()
        row = self._rows.get(record.id)
        if row is None:
            self._rows[record.id] = _Row(record, record.revision, writer, over)
            return True
        mine = row.writer == writer and writer > 0
        moved = row.revision > record.revision if mine else row.revision != expected
        if row.writer > writer or moved:
            raise StaleWriterError(record.id)
        if row.over:
            if mine and row.revision == record.revision:
                return False
            raise StaleWriterError(record.id)
        row.record, row.revision, row.writer, row.over = record, record.revision, writer, over
        return True

    def _ended(self, record: KeptT) -> None:
        """Do what goes with the end of a job."""

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("the records cannot be read or written: Redis is away")


class MemoryJobRecords(MemoryRows[RecordT]):
    """The store of one kind of job."""

    def __init__(self) -> None:
        super().__init__()
        self._busy: dict[str, str] = {}
        self._writer = 0

    def forget(self) -> None:
        """Lose everything."""
        super().forget()
        self._busy.clear()
        self._writer = 0

    async def create(self, record: RecordT) -> Created | Known[RecordT] | Conflicting | Busy:
        """Check and write at once."""
        if (known := self._known(record)) is not None:
            return known
        holder = self._busy.get(record.exclusive)
        if holder is not None:
            return Busy(holder)
        self._accept(record)
        self._busy[record.exclusive] = record.id
        return Created()

    async def recent(self, limit: int) -> list[RecordT]:
        """Return the latest jobs, newest first."""
        return self._newest_first()[:limit]

    async def holder(self, exclusive: str) -> str | None:
        """Return the id of the living job with this exclusive word."""
        self._require()
        return self._busy.get(exclusive)

    async def claim_writer(self) -> int:
        """Return a number higher than any before."""
        self._require()
        self._writer += 1
        return self._writer

    def _write(self, record: RecordT, expected: int, writer: int, *, over: bool) -> bool:
        written = super()._write(record, expected, writer, over=over)
        self._writer = max(self._writer, writer)
        if written and not over:
            self._busy.setdefault(record.exclusive, record.id)
        return written

    def _ended(self, record: RecordT) -> None:
        if self._busy.get(record.exclusive) == record.id:
            del self._busy[record.exclusive]
