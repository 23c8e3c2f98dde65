"""Jobs in Redis: any replica can tell how one stands, only its own works on it."""

import json
from typing import Any, Final, Protocol

from pydantic import ValidationError
from redis.asyncio import Redis

from spark_audio_proxy import keys
from spark_audio_proxy.jobs.record import AudioJob
from spark_common.redis_access import asked

_KEEP_SECONDS: Final = 24 * 3600
RESULT_SECONDS: Final = 3600
"""What was said is kept for this long after a job, unless its caller deletes it before."""
_MOST_LISTED: Final = 100
_AWAY: Final = "jobs are not possible now: Redis does not answer"


class JobStore(Protocol):
    """Every method raises UnavailableError while the store is away."""

    async def add(self, job: AudioJob) -> None:
        """Take a new job down."""
        ...

    async def save(self, job: AudioJob) -> bool:
        """Save how a job stands; False when somebody deleted it."""
        ...

    async def keep(self, job: AudioJob, result: Any) -> bool:
        """Save a job that is done, with what it found; False when somebody deleted it."""
        ...

    async def get(self, tenant: str, job_id: str) -> AudioJob | None:
        """Return a job of a tenant; None when there is none, or it is somebody else's."""
        ...

    async def result(self, job_id: str) -> Any:
        """Return what a job found; None when it is not there any more."""
        ...

    async def latest(self, tenant: str) -> list[AudioJob]:
        """Return the latest jobs of a tenant, the newest first."""
        ...

    async def delete(self, job: AudioJob) -> bool:
        """Forget a job and what it found; its process stops working on it soon."""
        ...


class RedisJobs:
    """The store of the product."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, job: AudioJob) -> None:
        """Take a new job down."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.set(keys.job(job.id), job.model_dump_json(), ex=_KEEP_SECONDS)
            listed = keys.jobs(job.tenant)
            batch.zadd(listed, {job.id: job.created_at.timestamp()})
            batch.zremrangebyrank(listed, 0, -_MOST_LISTED - 1)
            batch.expire(listed, _KEEP_SECONDS)
            await asked(batch.execute(), _AWAY)

    async def save(self, job: AudioJob) -> bool:
        """Save how a job stands; False when somebody deleted it."""
        saved = self._redis.set(keys.job(job.id), job.model_dump_json(), ex=_KEEP_SECONDS, xx=True)
        return bool(await asked(saved, _AWAY))

    async def keep(self, job: AudioJob, result: Any) -> bool:
        """Save a job that is done, with what it found; False when somebody deleted it."""
        if not await self.save(job):
            return False
        text = json.dumps(result, ensure_ascii=False)
        await asked(self._redis.set(keys.job_result(job.id), text, ex=RESULT_SECONDS), _AWAY)
        return True

    async def get(self, tenant: str, job_id: str) -> AudioJob | None:
        """Return a job of a tenant; None when there is none, or it is somebody else's."""
        text = await asked(self._redis.get(keys.job(job_id)), _AWAY)
        try:
            job = None if text is None else AudioJob.model_validate_json(text)
        except ValidationError:
            # Of another version of the product; it knew of no tenants.
            return None
        return job if job is not None and job.tenant == tenant else None

    async def result(self, job_id: str) -> Any:
        """Return what a job found; None when it is not there any more."""
        text = await asked(self._redis.get(keys.job_result(job_id)), _AWAY)
        return None if text is None else json.loads(text)

    async def latest(self, tenant: str) -> list[AudioJob]:
        """Return the latest jobs of a tenant, the newest first."""
        ids = await asked(self._redis.zrevrange(keys.jobs(tenant), 0, _MOST_LISTED - 1), _AWAY)
        found = [await self.get(tenant, job_id) for job_id in ids]
        return [job for job in found if job is not None]

    async def delete(self, job: AudioJob) -> bool:
        """Forget a job and what it found; its process stops working on it soon."""
        gone = await asked(self._redis.delete(keys.job(job.id), keys.job_result(job.id)), _AWAY)
        await asked(self._redis.zrem(keys.jobs(job.tenant), job.id), _AWAY)
        return bool(gone)
