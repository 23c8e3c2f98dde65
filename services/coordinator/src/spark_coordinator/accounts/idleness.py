"""Idle while held: looked at every ten seconds, weighed by time, never guessed."""

from dataclasses import dataclass
from typing import Final

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_coordinator.accounts.keeper import Keeper
from spark_coordinator.leading import Leadership
from spark_coordinator.sight import ClusterSight, Sight

LOOK_SECONDS: Final = 10.0
LONGEST_SECONDS: Final = 30.0
"""Two looks that are further apart say nothing about what was between them."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class Stretch:
    """Time between two looks during which somebody held the lease and nothing was done."""

    holder: str
    seconds: float


def idle_between(first: Sight, second: Sight) -> Stretch | None:
    """Return the idle time between two looks; None when it was busy, or nobody can tell."""
    seconds = second.at - first.at
    if not 0 < seconds <= LONGEST_SECONDS:
        return None
    if first.lease is None or second.lease is None:
        return None
    held = first.lease.state == second.lease.state == "held"
    if not held or first.lease.epoch != second.lease.epoch or second.lease.holder is None:
        return None
    if not (first.quiet and second.quiet and second.nothing_since(first)):
        return None
    return Stretch(second.lease.holder, seconds)


class IdleWatch:
    """Looks for as long as this coordinator leads."""

    def __init__(
        self, sight: ClusterSight, keeper: Keeper, leadership: Leadership, clock: Clock
    ) -> None:
        self._sight = sight
        self._keeper = keeper
        self._leadership = leadership
        self._clock = clock
        self._last: Sight | None = None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once, and keep what the time since the last look was."""
        before, self._last = self._last, None
        if not self._leadership.leads:
            return
        self._last = sight = await self._sight.look()
        stretch = idle_between(before, sight) if before is not None else None
        if stretch is None:
            return
        try:
            await self._keeper.idle(stretch.holder, stretch.seconds)
        except UnavailableError as error:
            _log.debug("accounts.idle_lost", reason=error.message)
