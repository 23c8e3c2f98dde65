"""The loop that lets time act on the lease; any number of coordinators may run it at once."""

from collections.abc import Callable

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.service import ReadyCheck
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.draining import Draining

_LOOK_SECONDS = 0.5
"""The end of a lease is told within two seconds."""
_log = structlog.get_logger()


class LeaseKeeper:
    """Looks twice a second; every look is harmless however often it happens."""

    def __init__(
        self, book: LeaseBook, draining: Draining, clock: Clock, told: Callable[[], None]
    ) -> None:
        self._book = book
        self._draining = draining
        self._clock = clock
        self._told = told
        self._problem: str | None = None

    @property
    def check(self) -> ReadyCheck:
        """Not ready while the lease cannot be looked after."""

        async def ask() -> str | None:
            return self._problem

        return ReadyCheck("lease", ask)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Look once: tell what ended, drop who is gone, let the next one in."""
        try:
            answer = await self._book.tick()
            freed = await self._draining.look(answer) if answer.state == "draining" else answer
        except UnavailableError as error:
            if error.message != self._problem:
                _log.warning("lease.unseen", reason=error.message)
            self._problem = error.message
            return
        self._problem = None
        if answer.told or freed.told:
            _log.info("lease.moved", state=freed.state, epoch=freed.epoch, line=len(freed.line))
            self._told()
