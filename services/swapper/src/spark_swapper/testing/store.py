"""Records in memory, with the rules of the Lua scripts; both sit the same exam."""

from datetime import datetime

from spark_common.contracts.swaps import Phase
from spark_common.jobs.store import Busy, Conflicting, Known
from spark_common.testing.job_records import MemoryRows
from spark_swapper.admitting import eta
from spark_swapper.records.jobs import SwapJob
from spark_swapper.records.store import Admitted


class MemoryJobs(MemoryRows[SwapJob]):
    """The store of swaps."""

    def __init__(self) -> None:
        super().__init__()
        self._times: dict[str, list[float]] = {}
        self._pairs: dict[tuple[str | None, str], list[float]] = {}
        self._degraded: tuple[str, str] | None = None
        self._fence = 0

    def forget(self) -> None:
        """Lose everything but the fence, which the Sparks give back."""
        super().forget()
        self._times.clear()
        self._pairs.clear()
        self._degraded = None

    async def admit(self, job: SwapJob) -> Admitted | Known[SwapJob] | Conflicting | Busy:
        """Check and write at once."""
        if (known := self._known(job)) is not None:
            return known
        ids = [other.id for other in await self.live()]
        if ids and job.when_busy == "reject":
            return Busy(ids[0])
        self._accept(job)
        return Admitted(ids[-1] if ids else None)

    async def recent(
        self, limit: int, *, before: datetime | None = None, model: str | None = None
    ) -> list[SwapJob]:
        """Return the latest swaps, newest first."""
        jobs = [job for job in self._newest_first() if before is None or job.created_at < before]
        return [job for job in jobs if model in (None, job.model)][:limit]

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

    def _ended(self, job: SwapJob) -> None:
        if job.phase is Phase.READY and job.entered_at(Phase.LAUNCHING):
            waited = job.phases[0].seconds or 0.0
            seconds = job.total_seconds(job.created_at) - waited
            self._times.setdefault(job.model, []).insert(0, seconds)
            self._pairs.setdefault((job.previous, job.model), []).insert(0, seconds)
