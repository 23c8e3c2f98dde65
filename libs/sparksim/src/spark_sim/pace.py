"""Scaled time: a Spark's seconds pass ``speed`` times faster here."""

import asyncio
import time
from datetime import UTC, datetime


class Pace:
    """Sleeps in a Spark's seconds. ``drag`` stretches them again, for a host that is slow."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.drag = 1.0

    def real(self, seconds: float) -> float:
        """Return how long so many of the Spark's seconds take here."""
        return seconds * self.drag / self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait so many of the Spark's seconds."""
        await asyncio.sleep(self.real(seconds))


def now() -> datetime:
    """Return the time of day, which is not scaled: logs must match the clients' clocks."""
    return datetime.now(UTC)


def epoch() -> float:
    """Return seconds since 1970."""
    return time.time()


def rfc3339(moment: datetime) -> str:
    """Return a time the way docker writes it, nine digits of a second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
