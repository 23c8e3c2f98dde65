"""Redis' time for tests of the lease: a key instead of the clock, moved by the test."""

from redis.asyncio import Redis

_KEY = "sc:test:now_ms"
_START_MS = 1_800_000_000_000

LUA = f"""
local function now_ms() return tonumber(redis.call('GET', '{_KEY}')) end
"""
"""What stands where production reads Redis' own clock."""


class LeaseTime:
    """Stands still until it is moved, forwards or backwards."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def start(self) -> None:
        """Begin at some moment."""
        await self._redis.set(_KEY, _START_MS)

    async def pass_(self, seconds: float) -> None:
        """Move the clock."""
        await self._redis.incrby(_KEY, round(seconds * 1000))
