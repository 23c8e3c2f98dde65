"""Whether a job of some kind lives, read where its runner writes it."""

from redis.asyncio import Redis

from spark_common.jobs import keys
from spark_common.redis_access import asked


class LivingJobs:
    """Reads the sets of living jobs in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def first(self, kind: str) -> str | None:
        """Return the id of the oldest living job of a kind. Raises UnavailableError."""
        found = await asked(
            self._redis.zrange(keys.live(kind), 0, 0), "cannot see which jobs run: Redis is away"
        )
        return str(found[0]) if found else None
