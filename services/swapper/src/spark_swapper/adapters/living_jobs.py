"""Whether a job of some kind lives, read where its runner writes it."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.errors import UnavailableError
from spark_common.jobs import keys


class LivingJobs:
    """Reads the sets of living jobs in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def first(self, kind: str) -> str | None:
        """Return the id of the oldest living job of a kind. Raises UnavailableError."""
        try:
            found = await self._redis.zrange(keys.live(kind), 0, 0)
        except (RedisError, OSError, TimeoutError) as error:
            raise UnavailableError("cannot see which jobs run: Redis is away") from error
        return str(found[0]) if found else None
