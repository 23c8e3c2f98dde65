"""What all replicas know together, in Redis."""

from typing import Final

from pydantic import ValidationError
from redis.asyncio import Redis

from spark_audio_proxy import keys
from spark_audio_proxy.recovery.standing import Standing
from spark_common.redis_access import asked

_KEEP_SECONDS: Final = 24 * 3600
"""Of an episode that nobody ends, and of what is held against a recording."""
_AWAY: Final = "nobody can say how the speech server stands: Redis does not answer"
_SWAP: Final = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1
"""


class RedisStanding:
    """A ``SharedStanding``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._swap = redis.register_script(_SWAP)

    async def read(self) -> Standing:
        """Return how the server stands; what cannot be read is as good as nothing."""
        text = await asked(self._redis.get(keys.STANDING), _AWAY)
        try:
            return Standing() if text is None else Standing.model_validate_json(text)
        except ValidationError:
            await asked(self._redis.delete(keys.STANDING), _AWAY)
            return Standing()

    async def change(self, before: Standing, after: Standing) -> bool:
        """Write if it still stands as ``before``."""
        texts = (_text(before), _text(after), str(_KEEP_SECONDS))
        return bool(await asked(self._swap(keys=(keys.STANDING,), args=texts), _AWAY))

    async def count_wedge(self, culprit: str) -> int:
        """Count that a recording broke the server."""
        key = keys.wedges(culprit)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, _KEEP_SECONDS)
            count, _ = await asked(pipe.execute(), _AWAY)
        return int(count)

    async def wedges(self, culprit: str) -> int:
        """Return how often a recording broke the server."""
        return int(await asked(self._redis.get(keys.wedges(culprit)), _AWAY) or 0)


def _text(standing: Standing) -> str:
    return "" if standing == Standing() else standing.model_dump_json()
