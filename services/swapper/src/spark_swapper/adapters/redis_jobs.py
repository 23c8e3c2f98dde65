"""Swap records in Redis; every write is one script."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.contracts.swaps import Phase
from spark_common.errors import UnavailableError
from spark_swapper import eta, keys
from spark_swapper.adapters import redis_scripts
from spark_swapper.jobs import SwapJob
from spark_swapper.store import Admitted, Busy, Conflicting, Known, StaleWriterError

_RECORD_MS = 90 * 24 * 3600 * 1000
_HISTORY = 5_000
_PAGE = 200
_TIMES = 9
"""Durations kept per model: enough for a median, few enough to forget an old image."""


class RedisJobs:
    """The store of swaps."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._admit = redis.register_script(redis_scripts.ADMIT)
        self._save = redis.register_script(redis_scripts.SAVE)
        self._finish = redis.register_script(redis_scripts.FINISH)
        self._cancel = redis.register_script(redis_scripts.REQUEST_CANCEL)
        self._raise_fence = redis.register_script(redis_scripts.RAISE_FENCE)

    async def admit(self, job: SwapJob) -> Admitted | Known | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        reject = "1" if job.when_busy == "reject" else "0"
        record, score = job.model_dump_json(), job.created_at.timestamp()
        answer = await _asked(
            self._admit(
                keys=[keys.swap(job.id), keys.LIVE, keys.INDEX],
                args=[job.id, record, job.body_sha256, score, reject, _RECORD_MS, _HISTORY],
            )
        )
        match answer:
            case ["known", str(stored)]:
                return Known(_read(stored))
            case ["busy", str(swap_id)]:
                return Busy(swap_id)
            case ["admitted", str(behind)]:
                return Admitted(behind or None)
            case _:
                return Conflicting()

    async def get(self, swap_id: str) -> SwapJob | None:
        """Return a swap, or None when it is not known (any more)."""
        record: str | None = await _asked(self._redis.hget(keys.swap(swap_id), "record"))
        return _read(record) if record is not None else None

    async def live(self) -> list[SwapJob]:
        """Return the swaps that are not over, oldest first."""
        return await self._all(await _asked(self._redis.zrange(keys.LIVE, 0, -1)))

    async def recent(
        self, limit: int, *, before: datetime | None = None, model: str | None = None
    ) -> list[SwapJob]:
        """Return the latest swaps, newest first; what Redis has dropped by now is left out."""
        highest = "+inf" if before is None else f"({before.timestamp()!r}"
        found: list[SwapJob] = []
        for start in range(0, _HISTORY, _PAGE):
            ids = await _asked(
                self._redis.zrevrangebyscore(keys.INDEX, highest, "-inf", start=start, num=_PAGE)
            )
            found += [job for job in await self._all(ids) if model in (None, job.model)]
            if len(found) >= limit or len(ids) < _PAGE:
                break
        return found[:limit]

    async def save(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write one step; raises StaleWriterError when the record is not ours to write."""
        where = [keys.swap(job.id), keys.LIVE, keys.INDEX, keys.CURRENT]
        answer = await _asked(self._save(keys=where, args=_step(job, expected, writer)))
        _require_written(job, answer)

    async def finish(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write the end; raises StaleWriterError when the record is not ours to write."""
        duration: float | str = ""
        if job.phase is Phase.READY and job.entered_at(Phase.LAUNCHING):
            duration = round(job.total_seconds(job.created_at) - _waited(job), 3)
        where = [keys.swap(job.id), keys.LIVE, keys.INDEX, keys.CURRENT, keys.swap_times(job.model)]
        where.append(keys.pair_times(job.previous, job.model))
        args = [*_step(job, expected, writer), duration, _TIMES]
        _require_written(job, await _asked(self._finish(keys=where, args=args)))

    async def request_cancel(self, swap_id: str, by: str) -> None:
        """Remember that somebody wants this swap to stop; the first one is kept."""
        await _asked(self._cancel(keys=[keys.swap(swap_id)], args=[by]))

    async def cancel_requested(self, swap_id: str) -> str | None:
        """Return who wants it to stop, or None."""
        by: str | None = await _asked(self._redis.hget(keys.swap(swap_id), "cancelled_by"))
        return by

    async def usual_seconds(self, key: str) -> float | None:
        """Return the median of the latest successful swaps to a model; None before the first."""
        times = await _asked(self._redis.lrange(keys.swap_times(key), 0, _TIMES - 1))
        return eta.usual([float(seconds) for seconds in times])

    async def usual_pair_seconds(self, previous: str | None, key: str) -> float | None:
        """Return the median of the swaps from one model to another, else of all to it."""
        times = await _asked(self._redis.lrange(keys.pair_times(previous, key), 0, _TIMES - 1))
        return eta.usual([float(seconds) for seconds in times]) or await self.usual_seconds(key)

    async def keep_degraded(self, repo: str, reason: str) -> None:
        """Remember the loaded model whose answers are gibberish; an empty ``repo`` forgets."""
        if repo:
            facts = ["repo", repo, "reason", reason]
            await _asked(self._redis.hset(keys.DEGRADED, items=facts))
        else:
            await _asked(self._redis.delete(keys.DEGRADED))

    async def degraded(self) -> tuple[str, str] | None:
        """Return (repository, reason) of it, or None."""
        repo, reason = await _asked(self._redis.hmget(keys.DEGRADED, ["repo", "reason"]))
        return (repo, reason or "") if repo else None

    async def raise_fence(self, floor: int, epoch_floor: int = 0) -> int:
        """Return a fresh fence above ``floor``; lift the lease's epoch to ``epoch_floor``."""
        where = [keys.FENCE_SWAPPER, keys.FENCE_LOCK]
        fence = await _asked(self._raise_fence(keys=where, args=[floor, epoch_floor]))
        return int(fence)

    async def _all(self, ids: Sequence[str]) -> list[SwapJob]:
        if not ids:
            return []
        reads = self._redis.pipeline(transaction=False)
        for swap_id in ids:
            reads.hget(keys.swap(swap_id), "record")
        return [_read(record) for record in await _asked(reads.execute()) if record is not None]


def _step(job: SwapJob, expected: int, writer: int) -> list[Any]:
    record, score = job.model_dump_json(), job.created_at.timestamp()
    return [record, expected, writer, job.revision, job.body_sha256, _RECORD_MS, job.id, score]


def _waited(job: SwapJob) -> float:
    return job.phases[0].seconds or 0.0


def _read(record: str) -> SwapJob:
    return SwapJob.model_validate_json(record)


def _require_written(job: SwapJob, answer: str) -> None:
    if answer != "written":
        raise StaleWriterError(f"{job.id} is not at revision {job.revision - 1} any more")


async def _asked(answer: Any) -> Any:
    try:
        return await answer
    except (RedisError, OSError, TimeoutError) as error:
        raise UnavailableError("the records cannot be read or written: Redis is away") from error
