"""The delivery log: reading a page of it, and giving a dead letter another chance."""

from collections.abc import Callable, Sequence
from datetime import datetime

from redis.asyncio import Redis

from spark_common.contracts.webhooks import DeliveryView
from spark_common.errors import ConflictError, NotFoundError
from spark_common.redis_access import asked
from spark_coordinator.webhooks import keys, scripts
from spark_coordinator.webhooks.rows import DeliveryState, micros, view_of

_AWAY = "the record (Redis) does not answer; try again in a moment"
_PLACES: dict[DeliveryState, Callable[[str], str]] = {
    "pending": keys.pending,
    "delivered": keys.delivered,
    "dead": keys.dead,
}


class DeliveryLog:
    """What became of every delivery that is kept."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._again = redis.register_script(scripts.AGAIN)

    async def page(
        self,
        targets: Sequence[str],
        state: DeliveryState | None,
        before: datetime | None,
        limit: int,
    ) -> list[DeliveryView]:
        """Return the newest deliveries of these targets that were made before a moment."""
        newest = "+inf" if before is None else f"({micros(before)}"
        pipe = self._redis.pipeline(transaction=False)
        for target in targets:
            for place in [_PLACES[state]] if state else _PLACES.values():
                pipe.zrevrangebyscore(place(target), newest, "-inf", 0, limit, withscores=True)
        found = await asked(pipe.execute(), _AWAY)
        scored = sorted(((score, name) for page in found for name, score in page), reverse=True)
        rows = await self._rows([name for _, name in scored[:limit]])
        return [view_of(name, fields) for name, fields in rows if fields]

    async def one(self, id: str) -> DeliveryView:
        """Return one delivery; raises NotFoundError."""
        ((_, fields),) = await self._rows([id])
        if not fields:
            raise NotFoundError(f"there is no delivery {id!r}; the log keeps the latest ones only")
        return view_of(id, fields)

    async def again(self, id: str, now: datetime, give_up_at: datetime) -> DeliveryView:
        """Put a dead letter at the end of its target's line, under its own id."""
        arguments: list[str | int] = [id, micros(now), micros(give_up_at)]
        verdict = int(await asked(self._again(keys=(keys.delivery(id),), args=arguments), _AWAY))
        standing = await self.one(id)
        if verdict == 0:
            raise ConflictError(
                f"the delivery is {standing.state}; only one that was given up is sent again"
            )
        if verdict < 0:
            raise ConflictError("what this delivery said is not kept; use the test button instead")
        return standing

    async def _rows(self, ids: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
        pipe = self._redis.pipeline(transaction=False)
        for one in ids:
            pipe.hgetall(keys.delivery(one))
        return list(zip(ids, await asked(pipe.execute(), _AWAY), strict=True))
