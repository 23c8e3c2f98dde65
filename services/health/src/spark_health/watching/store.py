"""The standings in Redis: a transition is written together with the event that tells of it."""

import json
from collections.abc import Mapping

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.redis_access import asked
from spark_health.watching import keys
from spark_health.watching.standing import Standing

_AWAY = "what is known of the targets cannot be read or written: Redis does not answer"
_MOST_UNTOLD = 10_000
_log = structlog.get_logger()

_WRITE = """
-- KEYS standings, outbox; ARGV target, number it must have, standing, entry or '', most untold
-- -> 1 written, 0 when somebody else wrote a transition meanwhile
local found = redis.call('HGET', KEYS[1], ARGV[1])
local n = 0
if found then n = cjson.decode(found).n end
if n ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] ~= '' then
  redis.call('RPUSH', KEYS[2], ARGV[4])
  if redis.call('LLEN', KEYS[2]) > tonumber(ARGV[5]) then redis.call('LPOP', KEYS[2]) end
end
return 1
"""


class Standings:
    """Every method raises UnavailableError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._write = redis.register_script(_WRITE)

    async def all(self) -> dict[str, Standing]:
        """Return what was known of every target."""
        rows = await asked(self._redis.hgetall(keys.STANDINGS), _AWAY)
        found = {}
        for name, row in rows.items():
            try:
                found[str(name)] = Standing.model_validate_json(row)
            except ValidationError:
                _log.error("health.standing_unreadable", target=name)
        return found

    async def one(self, target: str) -> Standing | None:
        """Return what is known of one target."""
        row = await asked(self._redis.hget(keys.STANDINGS, target), _AWAY)
        return None if row is None else Standing.model_validate_json(row)

    async def settle(self, target: str, after: Standing, entry: Mapping[str, object]) -> bool:
        """Write a transition and its event, once; False when somebody else was faster."""
        return await self._put(target, after.n - 1, after, json.dumps(entry))

    async def save(self, target: str, standing: Standing) -> bool:
        """Write what was seen lately; False when a transition came in between."""
        return await self._put(target, standing.n, standing, "")

    async def forget(self, target: str) -> None:
        """Drop what nobody watched for a long time."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.hdel(keys.STANDINGS, target)
        pipe.delete(keys.uptime(target))
        await asked(pipe.execute(), _AWAY)

    async def _put(self, target: str, number: int, standing: Standing, entry: str) -> bool:
        arguments: list[str | int] = [
            target,
            number,
            standing.model_dump_json(),
            entry,
            _MOST_UNTOLD,
        ]
        keyed = [keys.STANDINGS, keys.OUTBOX]
        return bool(await asked(self._write(keys=keyed, args=arguments), _AWAY))
