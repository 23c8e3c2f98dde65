"""Tells what stands in the outbox of remedies: each entry once, in order, whoever was killed."""

import json

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.events import ServiceAction
from spark_common.redis_access import asked
from spark_common.subjects import SERVICE_ACTION
from spark_health.remedies import keys, numbers

_LOOK_SECONDS = 1.0
_log = structlog.get_logger()


async def tell_soon(redis: Redis, event_id: str, event: ServiceAction) -> None:
    """Have something told that is no order on a container. Raises UnavailableError."""
    row = json.dumps({"id": event_id, "data": event.model_dump(mode="json")})
    await asked(redis.rpush(keys.OUTBOX, row), "it could not be told: Redis is away")


class ActionTeller:
    """A second one would only find everything told: every entry has an id of its own."""

    def __init__(self, redis: Redis, bus: Bus, clock: Clock) -> None:
        self._redis = redis
        self._bus = bus
        self._clock = clock

    async def run(self) -> None:
        """Tell for ever; what cannot be told stays and is tried again."""
        while True:
            try:
                told = await self.tell_next()
            except (RedisError, OSError, TimeoutError, SparkError):
                told = False
            if not told:
                await self._clock.sleep(_LOOK_SECONDS)

    async def tell_next(self) -> bool:
        """Tell the oldest entry; return whether it is gone. Raises RedisError."""
        entry = await self._redis.lindex(keys.OUTBOX, 0)
        if entry is None:
            return False
        try:
            row = json.loads(entry)
            event, event_id = ServiceAction.model_validate(row["data"]), str(row["id"])
        except (ValueError, KeyError, TypeError, ValidationError):
            # It will never be readable; what follows must not wait for it.
            _log.exception("remedy.event_unreadable")
            await self._redis.lrem(keys.OUTBOX, 1, str(entry))
            return True
        result = await self._bus.publish_durable(SERVICE_ACTION, event, id=event_id)
        if isinstance(result, Refused):
            _log.warning("remedy.event_refused", why=result.reason)
        if not isinstance(result, Stored | Duplicate):
            return False
        if await self._redis.lrem(keys.OUTBOX, 1, str(entry)):
            # Of two processes that told it, the one counts it that took it off the list.
            numbers.told(event)
        return True
