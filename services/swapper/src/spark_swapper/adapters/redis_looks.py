"""The last answers of the Sparks in Redis."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.redis_access import asked
from spark_swapper import keys
from spark_swapper.scan.memory import Seen
from spark_swapper.scan.reply import Look

VERSION = "1"
_KEPT_MS = 30 * 24 * 3600 * 1000
_AWAY = "the last lists cannot be kept: Redis is away"


class RedisLooks:
    """A LookStore. The list itself is written only when it changed, its time always."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._written: dict[str, Look] = {}

    async def remember(self, host: str, seen: Seen) -> None:
        """Replace what was kept of a host."""
        fields: dict[Any, Any] = {"version": VERSION, "seen_at": seen.at.isoformat()}
        last = self._written.get(host)
        if last is None or _lasting(last) != _lasting(seen.look):
            fields["record"] = seen.look.model_dump_json(exclude_defaults=True)
        writing = self._redis.pipeline(transaction=True)
        writing.hset(keys.last_look(host), mapping=fields)
        writing.pexpire(keys.last_look(host), _KEPT_MS)
        writing.hexists(keys.last_look(host), "record")
        *_, there = await asked(writing.execute(), _AWAY)
        if not there:
            # Redis lost its disk since.
            self._written.pop(host, None)
            await self.remember(host, seen)
        elif "record" in fields:
            self._written[host] = seen.look

    async def recall(self, host: str) -> Seen | None:
        """Return what was kept; None for nothing, or for what cannot be read any more."""
        version, record, at = await asked(
            self._redis.hmget(keys.last_look(host), "version", "record", "seen_at"), _AWAY
        )
        if version != VERSION or record is None or at is None:
            return None
        try:
            return Seen(Look.model_validate_json(record), datetime.fromisoformat(at))
        except (ValidationError, ValueError):
            return None


def _lasting(look: Look) -> Look:
    """Leave out what moves all the time."""
    return look.model_copy(update={"memory_available_bytes": None, "disk_free_bytes": None})
