"""Has a server looked at that failed at real work, and no more often than makes sense."""

import asyncio
from typing import Final

import structlog

from spark_audio_proxy.recovery.ports import HealthDesk
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.ids import new_id

EVERY_SECONDS: Final = 60.0

log = structlog.get_logger()


class Alarm:
    """For a server whose calls are not held back: voices have another one, or fail at once."""

    def __init__(self, health: HealthDesk, clock: Clock) -> None:
        self._health = health
        self._clock = clock
        self._rung_at = float("-inf")
        self._ringing: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Order a check, unless one was ordered within the last minute. Waits for nobody."""
        now = self._clock.monotonic()
        if now - self._rung_at >= EVERY_SECONDS:
            self._rung_at = now
            self._ringing = asyncio.create_task(self._order())

    async def close(self) -> None:
        """Order no more."""
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)

    async def _order(self) -> None:
        try:
            await self._health.order_check(new_id(), "a call of audio-proxy failed")
        except SparkError as error:
            log.info("recovery.not_told", reason=error.message)
