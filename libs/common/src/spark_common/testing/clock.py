"""A clock that only moves when a test says so."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_AT_LEAST_TURNS = 5
_AT_MOST_TURNS = 500


class FakeClock:
    """Behaves like ``SystemClock``, except that time passes only in ``advance``."""

    def __init__(self, start: datetime = _EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Wall-clock time in UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds that were advanced so far."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has advanced this far; zero or less only yields to the loop."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many tasks wait for time to pass."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass: wake every sleeper at its own moment, in order, and let each one act.

        Whoever goes back to sleep for less than what is left is woken again.
        """
        until = self._elapsed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            moment, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self._elapsed = max(self._elapsed, moment)
            woken.set_result(None)
            await settle()
        self._elapsed = until
        await settle()


async def settle() -> None:
    """Let every task run until all of them wait for something: time, a socket, a thread.

    Tasks that never wait are given five hundred turns.
    """
    loop = asyncio.get_running_loop()
    for turn in range(_AT_MOST_TURNS):
        await asyncio.sleep(0)
        # The ready queue is private to asyncio; where a loop has none, only the cap counts.
        ready = getattr(loop, "_ready", True)
        if turn >= _AT_LEAST_TURNS and not ready:
            return
