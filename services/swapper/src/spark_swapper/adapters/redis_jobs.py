"""Swap records in Redis; every write is one script."""

from datetime import datetime

from redis.asyncio import Redis

from spark_common.contracts.swaps import Phase
from spark_common.jobs.redis_rows import Places, RedisRows, Scripts
from spark_common.jobs.store import Busy, Conflicting, Known
from spark_swapper import keys
from spark_swapper.adapters.redis_scripts import ADMIT, FINISH, RAISE_FENCE, SAVE
from spark_swapper.admitting import eta
from spark_swapper.records.jobs import SwapJob
from spark_swapper.records.store import Admitted

_PLACES = Places(keys.swap, keys.LIVE, keys.INDEX, history=5_000)
_TIMES = 9
"""Durations kept per model: enough for a median, few enough to forget an old image."""


class RedisJobs(RedisRows[SwapJob]):
    """The store of swaps."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, SwapJob, _PLACES, Scripts(ADMIT, SAVE, FINISH))
        self._raise_fence = redis.register_script(RAISE_FENCE)

    async def admit(self, job: SwapJob) -> Admitted | Known[SwapJob] | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        answer = await self._accept(job, [], ["1" if job.when_busy == "reject" else "0"])
        return Admitted(answer or None) if isinstance(answer, str) else answer

    async def recent(
        self, limit: int, *, before: datetime | None = None, model: str | None = None
    ) -> list[SwapJob]:
        """Return the latest swaps, newest first; what Redis has dropped by now is left out."""
        wanted = None if model is None else lambda job: job.model == model
        return await self._latest(limit, before=before, wanted=wanted)

    async def save(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write one step; raises StaleWriterError when the record is not ours to write."""
        await self._save(job, expected, writer, [keys.CURRENT])

    async def finish(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write the end; raises StaleWriterError when the record is not ours to write."""
        duration: float | str = ""
        if job.phase is Phase.READY and job.entered_at(Phase.LAUNCHING):
            waited = job.phases[0].seconds or 0.0
            duration = round(job.total_seconds(job.created_at) - waited, 3)
        pair = keys.pair_times(job.previous, job.model)
        beside = [keys.CURRENT, keys.swap_times(job.model), pair]
        await self._finish(job, expected, writer, beside, duration, _TIMES)

    async def usual_seconds(self, key: str) -> float | None:
        """Return the median of the latest successful swaps to a model; None before the first."""
        times = await self._ask(self._redis.lrange(keys.swap_times(key), 0, _TIMES - 1))
        return eta.usual([float(seconds) for seconds in times])

    async def usual_pair_seconds(self, previous: str | None, key: str) -> float | None:
        """Return the median of the swaps from one model to another, else of all to it."""
        times = await self._ask(self._redis.lrange(keys.pair_times(previous, key), 0, _TIMES - 1))
        return eta.usual([float(seconds) for seconds in times]) or await self.usual_seconds(key)

    async def keep_degraded(self, repo: str, reason: str) -> None:
        """Remember the loaded model whose answers are gibberish; an empty ``repo`` forgets."""
        if repo:
            facts = ["repo", repo, "reason", reason]
            await self._ask(self._redis.hset(keys.DEGRADED, items=facts))
        else:
            await self._ask(self._redis.delete(keys.DEGRADED))

    async def degraded(self) -> tuple[str, str] | None:
        """Return (repository, reason) of it, or None."""
        repo, reason = await self._ask(self._redis.hmget(keys.DEGRADED, ["repo", "reason"]))
        return (repo, reason or "") if repo else None

    async def raise_fence(self, floor: int, epoch_floor: int = 0) -> int:
        """Return a fresh fence above ``floor``; lift the lease's epoch to ``epoch_floor``."""
        where = [keys.FENCE_SWAPPER, keys.FENCE_LOCK]
        fence = await self._ask(self._raise_fence(keys=where, args=[floor, epoch_floor]))
        return int(fence)
