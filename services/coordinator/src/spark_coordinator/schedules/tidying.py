"""Forgets schedules that came once and are long over, so that they do not fill the registry."""

from contextlib import suppress
from datetime import timedelta

from spark_common.clock import Clock
from spark_common.errors import NotFoundError
from spark_coordinator.schedules.registry import Registry

KEPT = timedelta(days=30)
"""How long after its time a schedule that came once is kept with its run."""
_LOOK_SECONDS = 3600.0
_WHO = "the coordinator"


class Tidying:
    """Looks once an hour."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._next = 0.0

    async def look(self) -> None:
        """Forget what is long over, if an hour has passed. Raises UnavailableError."""
        if self._clock.monotonic() < self._next:
            return
        before = self._clock.now() - KEPT
        for entry in await self._registry.all():
            at = entry.schedule.at
            if at is not None and at < before and entry.next_ms is None:
                with suppress(NotFoundError):
                    await self._registry.remove(entry.id, _WHO)
        self._next = self._clock.monotonic() + _LOOK_SECONDS
