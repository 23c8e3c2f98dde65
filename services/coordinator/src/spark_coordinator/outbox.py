"""Events that a script in Redis wrote together with the change they tell of.

Saved first, then told: a process that dies in between leaves its events in the list, and the
next one tells them. Every entry has an id of its own, so that telling twice is once.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.events import Message

_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Outgoing:
    """An event and where it goes."""

    subject: str
    message: Message
    id: str
    """The same however often the entry is read."""
    correlation_id: str | None = None


class Outbox:
    """Tells the entries of one list in their order, for ever."""

    def __init__(
        self,
        redis: Redis,
        key: str,
        bus: Bus,
        clock: Clock,
        event_of: Callable[[Mapping[str, Any]], Outgoing],
    ) -> None:
        self._redis = redis
        self._key = key
        self._bus = bus
        self._clock = clock
        self._event_of = event_of
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was just written: look now and not at the next turn."""
        self._woken.set()

    async def run(self) -> None:
        """Tell for ever; what cannot be told stays and is tried again."""
        while True:
            self._woken.clear()
            if not await self._safely():
                await self._rest()

    async def tell_next(self) -> bool:
        """Tell the oldest entry; return whether there was one and it is gone.

        Raises RedisError while Redis is away.
        """
        entry = await self._redis.lindex(self._key, 0)
        if entry is None:
            return False
        try:
            outgoing = self._event_of(json.loads(entry))
        except (ValueError, KeyError, TypeError):
            # It will never be readable; what follows must not wait for it.
            _log.exception("coordinator.event_unreadable", key=self._key)
            await self._redis.lrem(self._key, 1, str(entry))
            return True
        result = await self._bus.publish_durable(
            outgoing.subject,
            outgoing.message,
            id=outgoing.id,
            correlation_id=outgoing.correlation_id,
        )
        if isinstance(result, Refused):
            _log.warning("coordinator.event_refused", subject=outgoing.subject, why=result.reason)
        if not isinstance(result, Stored | Duplicate):
            await self._clock.sleep(_RETRY_SECONDS)
            return False
        # Only this entry: another coordinator may have told it and taken it away already.
        await self._redis.lrem(self._key, 1, str(entry))
        return True

    async def _safely(self) -> bool:
        try:
            return await self.tell_next()
        except (RedisError, OSError, TimeoutError):
            await self._clock.sleep(_RETRY_SECONDS)
            return False

    async def _rest(self) -> None:
        waking = asyncio.create_task(self._woken.wait())
        turn = asyncio.create_task(self._clock.sleep(_LOOK_SECONDS))
        try:
            await asyncio.wait((waking, turn), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            turn.cancel()
