"""How often something is looked at: on hints at once, else while anybody cares, else rarely."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from spark_common.clock import Clock
from spark_gateway.hinted_look import hinted_within

WATCHED_SECONDS = 5.0
UNWATCHED_SECONDS = 30.0
_LOG = structlog.get_logger()


class Pace:
    """Repeats a look, and lets others wait for one that began after their hint."""

    def __init__(self, clock: Clock, watched: Callable[[], bool]) -> None:
        self._clock = clock
        self._watched = watched
        self._hinted = asyncio.Event()
        self._looked = asyncio.Event()
        self._hints = 0
        self._hints_seen = 0
        self._looked_at: float | None = None

    def hint(self) -> None:
        """Something changed: look soon."""
        self._hints += 1
        self._hinted.set()

    async def wait_fresh(self, within_seconds: float) -> bool:
        """Wait for a look that is at most five seconds old and began after the last hint."""
        now = self._clock.monotonic()
        if self._looked_at is None or now - self._looked_at > WATCHED_SECONDS:
            self.hint()
        wanted = self._hints
        try:
            async with asyncio.timeout(within_seconds):
                while self._hints_seen < wanted:
                    await self._looked.wait()
        except TimeoutError:
            return False
        return True

    async def keep(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look for ever. A look that breaks is logged: chat must not end because of it."""
        while True:
            self._hinted.clear()
            hints = self._hints
            try:
                await look()
            except Exception:
                _LOG.exception("look.broke")
            self._looked_at = began = self._clock.monotonic()
            self._hints_seen = hints
            self._looked.set()
            self._looked.clear()
            while not await hinted_within(WATCHED_SECONDS, self._hinted, self._clock):
                if self._watched() or self._clock.monotonic() - began >= UNWATCHED_SECONDS:
                    break
