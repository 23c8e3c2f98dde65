"""Looking again and again, and at once when something was heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.tasks import end

_LOG = structlog.get_logger()


class HintedLook:
    """Asks somebody for something, who also tells when it changed. A hint may get lost."""

    def __init__(
        self,
        look: Callable[[], Awaitable[None]],
        hear: Callable[[], AsyncIterator[object]],
        clock: Clock,
        *,
        every_seconds: float,
        relisten_seconds: float,
    ) -> None:
        """``hear``: whatever it gives is a hint; it is called anew when it ends or fails."""
        self._look = look
        self._hear = hear
        self._clock = clock
        self._every_seconds = every_seconds
        self._relisten_seconds = relisten_seconds
        self._hinted = asyncio.Event()

    async def run_while(self, wanted: Callable[[], bool]) -> None:
        """Look as long as that is wanted."""
        listening = asyncio.create_task(self._listen())
        try:
            while wanted():
                self._hinted.clear()
                await self._look()
                await hinted_within(self._every_seconds, self._hinted, self._clock)
        finally:
            await end([listening])

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._hear():
                    self._hinted.set()
            except SparkError as error:
                _LOG.debug("look.deaf", reason=error.code)
            await self._clock.sleep(self._relisten_seconds)


async def hinted_within(seconds: float, hinted: asyncio.Event, clock: Clock) -> bool:
    """Sleep, or less when there is a hint; say whether there was one."""
    nap = asyncio.ensure_future(clock.sleep(seconds))
    hint = asyncio.ensure_future(hinted.wait())
    try:
        await asyncio.wait({nap, hint}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        nap.cancel()
        hint.cancel()
    return hinted.is_set()
