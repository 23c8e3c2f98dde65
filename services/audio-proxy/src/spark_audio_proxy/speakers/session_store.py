"""Where a session of speakers is kept for a day: what was found in each chunk, in order."""

from typing import Protocol

from redis.asyncio import Redis

from spark_audio_proxy.speakers import keys
from spark_common.redis_access import asked

KEPT_SECONDS = 86_400
"""After the last chunk."""
_AWAY = "the session of speakers cannot be read or changed: Redis does not answer"


class SessionStore(Protocol):
    """Every method raises UnavailableError while the store is away."""

    async def create(self, tenant: str, session_id: str, head: str) -> None:
        """Begin a session with its first entry."""
        ...

    async def append(self, tenant: str, session_id: str, entry: str) -> list[str]:
        """Add an entry and return all up to it, the head first; nothing without a session.

        Those who add at once each see the entries in the one order in which they came.
        """
        ...

    async def read(self, tenant: str, session_id: str) -> list[str]:
        """Return all entries, the head first; nothing without a session."""
        ...

    async def delete(self, tenant: str, session_id: str) -> bool:
        """Forget a session; say whether there was one."""
        ...


class RedisSessions:
    """The store of the product."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(self, tenant: str, session_id: str, head: str) -> None:
        """Begin a session with its first entry."""
        key = keys.session(tenant, session_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(key, head)
            pipe.expire(key, KEPT_SECONDS)
            await asked(pipe.execute(), _AWAY)

    async def append(self, tenant: str, session_id: str, entry: str) -> list[str]:
        """Add an entry and return all up to it, the head first; nothing without a session."""
        key = keys.session(tenant, session_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpushx(key, entry)
            pipe.lrange(key, 0, -1)
            pipe.expire(key, KEPT_SECONDS)
            _, entries, _ = await asked(pipe.execute(), _AWAY)
        return list(entries)

    async def read(self, tenant: str, session_id: str) -> list[str]:
        """Return all entries, the head first; nothing without a session."""
        return list(await asked(self._redis.lrange(keys.session(tenant, session_id), 0, -1), _AWAY))

    async def delete(self, tenant: str, session_id: str) -> bool:
        """Forget a session; say whether there was one."""
        return bool(await asked(self._redis.delete(keys.session(tenant, session_id)), _AWAY))
