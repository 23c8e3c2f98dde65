"""Records in memory, with the rules of the Lua scripts; both sit the same exam."""

from dataclasses import dataclass
from datetime import datetime

from spark_common.contracts.swaps import Phase
from spark_common.errors import UnavailableError
from spark_swapper import eta
from spark_swapper.jobs import SwapJob
from spark_swapper.store import Admitted, Busy, Conflicting, Known, StaleWriterError


@dataclass
class _Row:
    job: SwapJob
    revision: int
    writer: int = 0
    over: bool = False
    cancelled_by: str | None = None


class MemoryJobs:
    """The store of swaps. ``away`` plays an outage; ``forget`` a lost disk."""

    def __init__(self) -> None:
        self.away = False
        self._rows: dict[str, _Row] = {}
        self._live: list[str] = []
        self._times: dict[str, list[float]] = {}
        self._pairs: dict[tuple[str | None, str], list[float]] = {}
        self._degraded: tuple[str, str] | None = None
        self._fence = 0

    def forget(self) -> None:
        """Lose everything but the fence, which the Sparks give back."""
        self._rows.clear()
        self._live.clear()
        self._times.clear()
        self._pairs.clear()
        self._degraded = None

    async def admit(self, job: SwapJob) -> Admitted | Known | Conflicting | Busy:
        """Check and write at once."""
        self._require()
        known = self._rows.get(job.id)
        if known is not None:
            same = known.job.body_sha256 == job.body_sha256
            return Known(known.job) if same else Conflicting()
        behind = self._live[-1] if self._live else None
        if behind is not None and job.when_busy == "reject":
            return Busy(self._live[0])
        self._rows[job.id] = _Row(job, 1)
        self._live.append(job.id)
        return Admitted(behind)

    async def get(self, swap_id: str) -> SwapJob | None:
        """Return a swap or None."""
        self._require()
        row = self._rows.get(swap_id)
        return row.job if row else None

    async def live(self) -> list[SwapJob]:
        """Return the swaps that are not over, oldest first."""
        self._require()
        return [self._rows[swap_id].job for swap_id in self._live]

    async def recent(
        self, limit: int, *, before: datetime | None = None, model: str | None = None
    ) -> list[SwapJob]:
        """Return the latest swaps, newest first."""
        self._require()
        rows = sorted(self._rows.values(), key=lambda row: row.job.created_at, reverse=True)
        jobs = [row.job for row in rows if before is None or row.job.created_at < before]
        return [job for job in jobs if model in (None, job.model)][:limit]

    async def save(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write one step."""
        self._write(job, expected, writer, over=False)
        if job.id not in self._live:
            self._live.append(job.id)

    async def finish(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write the end."""
        if not self._write(job, expected, writer, over=True):
            return
        if job.id in self._live:
            self._live.remove(job.id)
        if job.phase is Phase.READY and job.entered_at(Phase.LAUNCHING):
            waited = job.phases[0].seconds or 0.0
            seconds = job.total_seconds(job.created_at) - waited
            self._times.setdefault(job.model, []).insert(0, seconds)
            self._pairs.setdefault((job.previous, job.model), []).insert(0, seconds)

    async def request_cancel(self, swap_id: str, by: str) -> None:
        """Remember who wants it to stop."""
        self._require()
        row = self._rows.get(swap_id)
        if row is not None and row.cancelled_by is None:
            row.cancelled_by = by

    async def cancel_requested(self, swap_id: str) -> str | None:
        """Return who wants it to stop."""
        self._require()
        row = self._rows.get(swap_id)
        return row.cancelled_by if row else None

    async def usual_seconds(self, key: str) -> float | None:
        """Return the median of the latest successful swaps."""
        self._require()
        return eta.usual(self._times.get(key, [])[:9])

    async def usual_pair_seconds(self, previous: str | None, key: str) -> float | None:
        """Return the median of the swaps from one model to another, else of all to it."""
        self._require()
        pair = eta.usual(self._pairs.get((previous, key), [])[:9])
        return pair or await self.usual_seconds(key)

    async def keep_degraded(self, repo: str, reason: str) -> None:
        """Remember the loaded model whose answers are gibberish."""
        self._require()
        self._degraded = (repo, reason) if repo else None

    async def degraded(self) -> tuple[str, str] | None:
        """Return it."""
        self._require()
        return self._degraded

    async def raise_fence(self, floor: int, epoch_floor: int = 0) -> int:
        """Return a fresh fence."""
        self._require()
        self._fence = max(self._fence, floor) + 1
        return self._fence

    def _write(self, job: SwapJob, expected: int, writer: int, *, over: bool) -> bool:
        """Write when allowed; False when exactly this end is written already."""
        self._require()
        row = self._rows.get(job.id)
        if row is None:
            self._rows[job.id] = _Row(job, job.revision, writer, over)
            return True
        mine = row.writer == writer and writer > 0
        moved = row.revision > job.revision if mine else row.revision != expected
        if row.writer > writer or moved:
            raise StaleWriterError(job.id)
        if row.over:
            if mine and row.revision == job.revision:
                return False
            raise StaleWriterError(job.id)
        row.job, row.revision, row.writer, row.over = job, job.revision, writer, over
        return True

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("the records cannot be read or written: Redis is away")
