"""Time as an argument, so that a two-minute timeout is tested in milliseconds."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a service reads the time and waits."""

    def now(self) -> datetime:
        """Wall-clock time, always in UTC; for people and records, never for deadlines."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; deadlines and durations are computed from it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less only yields to the loop."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Wall-clock time in UTC."""
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)
    """Seconds since an arbitrary start. The function itself: the data plane asks very often."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)
