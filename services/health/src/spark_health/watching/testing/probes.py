"""A probe that sees what a test says."""

import asyncio
from collections.abc import Callable

from spark_common.clock import Clock
from spark_health.watching.ports import Seen, Sighting, Target


class FakeProbe:
    """Sees ``state``; hangs, breaks or takes its time when told to."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        host: str | None = None,
        every_seconds: float = 5.0,
        takes_seconds: float = 0.0,
    ) -> None:
        kind = "service" if host else "host"
        self.target = Target(name, "service" if kind == "service" else "host", name.title(), host)
        self.every_seconds = every_seconds
        self.takes_seconds = takes_seconds
        self.state: Seen | Callable[[], Seen] = "up"
        self.hangs = False
        self.holds_on = False
        """It does not even end when it is cancelled."""
        self.breaks: Exception | None = None
        self.looks = 0
        self._clock = clock

    async def look(self) -> Sighting:
        """Look as told."""
        self.looks += 1
        while self.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not self.holds_on:
                    raise
        if self.takes_seconds:
            await self._clock.sleep(self.takes_seconds)
        if self.breaks is not None:
            raise self.breaks
        state = self.state if isinstance(self.state, str) else self.state()
        return Sighting(state, f"seen {state}", self._clock.now())
