"""Tells the transitions that stand in the outbox: each once, in order, whoever was killed."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.events import HealthTransition
from spark_common.subjects import health_transition
from spark_common.tasks import end
from spark_health.watching import keys
from spark_health.watching.judge import Change
from spark_health.watching.ports import Target

_STREAM = "SC_HEALTH"
_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_log = structlog.get_logger()


def entry_of(target: Target, n: int, change: Change, maintenance: bool) -> dict[str, Any]:
    """Return what stands in the outbox until the transition is told."""
    event = HealthTransition(
        target=target.name,
        kind=target.kind,
        before=change.before,
        after=change.after,
        reason=change.reason,
        since=change.since,
        label=target.label,
        host=target.host,
        before_seconds=change.before_seconds,
        changes=change.changes,
        maintenance=maintenance,
    )
    # The moment is part of it: after a lost record the numbers begin anew.
    moment = round(change.since.timestamp() * 1000)
    return {"id": f"{target.name}:{n}:{moment}", "data": event.model_dump(mode="json")}


class Teller:
    """The one that tells; a second one would only find everything told."""

    def __init__(self, redis: Redis, bus: Bus, clock: Clock) -> None:
        self._redis = redis
        self._bus = bus
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was just written."""
        self._woken.set()

    async def run(self) -> None:
        """Tell for ever; what cannot be told stays and is tried again."""
        while True:
            self._woken.clear()
            try:
                told = await self.tell_next()
            except (RedisError, OSError, TimeoutError, SparkError):
                await self._clock.sleep(_RETRY_SECONDS)
                continue
            if not told:
                await self._rest()

    async def tell_next(self) -> bool:
        """Tell the oldest entry; return whether there was one and it is gone."""
        entry = await self._redis.lindex(keys.OUTBOX, 0)
        if entry is None:
            return False
        try:
            event_id, event = _read(json.loads(entry))
        except (ValueError, KeyError, TypeError):
            # It will never be readable; what follows must not wait for it.
            _log.exception("health.event_unreadable")
            await self._redis.lrem(keys.OUTBOX, 1, str(entry))
            return True
        subject = health_transition(event.target)
        if not await self._told(subject, event_id):
            result = await self._bus.publish_durable(subject, event, id=event_id)
            if isinstance(result, Refused):
                _log.warning("health.event_refused", subject=subject, why=result.reason)
            if not isinstance(result, Stored | Duplicate):
                await self._clock.sleep(_RETRY_SECONDS)
                return False
        await self._redis.lrem(keys.OUTBOX, 1, str(entry))
        return True

    async def _told(self, subject: str, id: str) -> bool:
        """Ask the stream itself: the server forgets ids after two minutes, a kill lasts longer."""
        last = await self._bus.last_message(_STREAM, subject)
        return last is not None and last.envelope is not None and last.envelope.id == id

    async def _rest(self) -> None:
        waiting = [
            asyncio.create_task(self._woken.wait()),
            asyncio.create_task(self._clock.sleep(_LOOK_SECONDS)),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(waiting)


def _read(entry: Mapping[str, Any]) -> tuple[str, HealthTransition]:
    return str(entry["id"]), HealthTransition.model_validate(entry["data"])
