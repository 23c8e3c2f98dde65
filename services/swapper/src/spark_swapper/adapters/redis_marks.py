"""Which repositories are being deleted, in Redis and in this process."""

from redis.asyncio import Redis

from spark_common.redis_access import asked
from spark_swapper import keys
from spark_swapper.disk.order import DELETE_SECONDS

_EXPIRES_MS = int((DELETE_SECONDS + 60) * 1000)
"""Longer than any order to a Spark may take."""
_AWAY = "nothing is deleted while Redis is away: whether a swap needs it cannot be seen"


class RedisMarks:
    """DeleteMarks that outlive the process that set them, but not for long."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._ours: set[str] = set()

    async def set(self, repo: str) -> None:
        """Mark a repository."""
        key = keys.deleting(repo)
        await asked(self._redis.set(key, "1", px=_EXPIRES_MS), _AWAY)
        self._ours.add(key)

    async def held(self, repo: str) -> bool:
        """Say whether a repository is marked, here or by a process that may be gone."""
        key = keys.deleting(repo)
        return key in self._ours or bool(await asked(self._redis.exists(key), _AWAY))

    async def clear(self, repo: str) -> None:
        """Take the mark away."""
        key = keys.deleting(repo)
        self._ours.discard(key)
        await asked(self._redis.delete(key), _AWAY)
