"""Results of deep checks in Redis: bounded, and seen by every process of health."""

from datetime import datetime
from typing import Protocol

from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.contracts.deep_health import MOST_KEPT, DeepResult
from spark_common.redis_access import asked
from spark_health.deep import keys

_AWAY = "results of deep checks cannot be read or kept: Redis is away"
_KEPT_SECONDS = 7 * 86_400
_KEEP = """
-- KEYS flight; ARGV mine, ms
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_FREE = """
-- KEYS flight; ARGV mine
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class DeepStore(Protocol):
    """What is kept of deep checks. Everything raises UnavailableError."""

    async def add(self, service: str, result: DeepResult) -> None:
        """Keep a result."""
        ...

    async def latest(self, service: str, most: int) -> list[DeepResult]:
        """Return results, the newest first."""
        ...

    async def last_ok(self, service: str) -> datetime | None:
        """Return when a job went well last."""
        ...

    async def take_off(self, service: str, mine: str, seconds: float) -> bool:
        """Begin a check unless another process does one; the claim ends by itself."""
        ...

    async def keep_flying(self, service: str, mine: str, seconds: float) -> None:
        """Let the claim end this much later."""
        ...

    async def land(self, service: str, mine: str) -> None:
        """End the claim."""
        ...


class RedisDeepStore:
    """``DeepStore`` in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._keep = redis.register_script(_KEEP)
        self._free = redis.register_script(_FREE)

    async def add(self, service: str, result: DeepResult) -> None:
        """Keep a result."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.lpush(keys.results(service), result.model_dump_json())
            batch.ltrim(keys.results(service), 0, MOST_KEPT - 1)
            batch.expire(keys.results(service), _KEPT_SECONDS)
            if result.state == "ok":
                batch.set(keys.well(service), result.at.isoformat(), ex=90 * 86_400)
            await asked(batch.execute(), _AWAY)

    async def latest(self, service: str, most: int) -> list[DeepResult]:
        """Return results, the newest first; what cannot be read any more is left out."""
        if most < 1:
            return []
        rows = await asked(self._redis.lrange(keys.results(service), 0, most - 1), _AWAY)
        found = []
        for row in rows:
            try:
                found.append(DeepResult.model_validate_json(row))
            except ValidationError:
                continue
        return found

    async def last_ok(self, service: str) -> datetime | None:
        """Return when a job went well last."""
        text = await asked(self._redis.get(keys.well(service)), _AWAY)
        try:
            return datetime.fromisoformat(text) if text else None
        except ValueError:
            return None

    async def take_off(self, service: str, mine: str, seconds: float) -> bool:
        """Begin a check unless another process does one."""
        took = self._redis.set(keys.flight(service), mine, nx=True, px=round(1000 * seconds))
        return bool(await asked(took, _AWAY))

    async def keep_flying(self, service: str, mine: str, seconds: float) -> None:
        """Let the claim end this much later."""
        later = self._keep(keys=[keys.flight(service)], args=[mine, round(1000 * seconds)])
        await asked(later, _AWAY)

    async def land(self, service: str, mine: str) -> None:
        """End the claim."""
        await asked(self._free(keys=[keys.flight(service)], args=[mine]), _AWAY)
