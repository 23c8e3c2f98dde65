"""Scaled time: a Spark's seconds pass ``speed`` times faster here."""

import asyncio
import time
from datetime import UTC, datetime


class Pace:
    """Sleeps in a Spark's seconds. ``drag`` stretches them again, for a host that is slow.

    A change of either holds at once, for those that already sleep as well.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._drag = 1.0
        self._sleeping: set[asyncio.Future[None]] = set()

    @property
    def speed(self) -> float:
        """How many of the Spark's seconds pass in one of ours."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = speed
        self._reckon_anew()

    @property
    def drag(self) -> float:
        """How many times longer everything takes."""
        return self._drag

    @drag.setter
    def drag(self, drag: float) -> None:
        self._drag = drag
        self._reckon_anew()

    def real(self, seconds: float) -> float:
        """Return how long so many of the Spark's seconds take here."""
        return seconds * self._drag / self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait so many of the Spark's seconds."""
        loop = asyncio.get_running_loop()
        left = seconds
        while True:
            began, stretch = loop.time(), self.real(1.0)
            woken = loop.create_future()
            timer = loop.call_later(left * stretch, _wake, woken)
            self._sleeping.add(woken)
            try:
                await woken
            finally:
                self._sleeping.discard(woken)
                timer.cancel()
            if loop.time() >= timer.when():
                return
            left -= (loop.time() - began) / stretch

    def _reckon_anew(self) -> None:
        for woken in self._sleeping:
            _wake(woken)


def _wake(sleeping: asyncio.Future[None]) -> None:
    if not sleeping.done():
        sleeping.set_result(None)


def now() -> datetime:
    """Return the time of day, which is not scaled: logs must match the clients' clocks."""
    return datetime.now(UTC)


def epoch() -> float:
    """Return seconds since 1970."""
    return time.time()


def rfc3339(moment: datetime) -> str:
    """Return a time the way docker writes it, nine digits of a second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
