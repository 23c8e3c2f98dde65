"""How the server stands, for one process: shared while Redis answers, its own while not."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from spark_audio_proxy.recovery.ports import SharedStanding
from spark_audio_proxy.recovery.standing import Fact, Standing, advance, may_try
from spark_common.clock import Clock
from spark_common.errors import SparkError

_MOST_ROUNDS = 20
_MOST_CULPRITS = 1000
_AWAY_SECONDS = 2.0
"""Redis is not asked again so soon after it did not answer: nobody waits for it twice."""

Told = Callable[["Known", Standing, Standing], Awaitable[None]]
"""Is told of a change that this process made: before, after."""

log = structlog.get_logger()


class Known:
    """The standing as this process knows it; who waits is woken by every change."""

    def __init__(self, shared: SharedStanding, clock: Clock, told: Told) -> None:
        self._shared = shared
        self._clock = clock
        self._told = told
        self._own_wedges: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._away_until = float("-inf")
        self.standing = Standing()

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self._clock.now().timestamp()

    async def look(self) -> None:
        """Take in what other replicas know."""
        try:
            self._adopt(await self._shared.read())
        except SparkError as error:
            log.debug("recovery.alone", reason=error.message)

    async def learn(self, fact: Fact) -> None:
        """Take a fact in, and tell of what it changed; it is told by one replica only."""
        for _ in range(_MOST_ROUNDS):
            before = self.standing
            after = advance(before, fact, self.now)
            if after is before or after == before:
                return
            if await self._written(before, after):
                await self._told(self, before, after)
                return

    async def take_trial(self) -> bool:
        """Whether this process may send one call to see whether the server works again."""
        before = self.standing
        after = may_try(before, self.now)
        return after is not None and await self._written(before, after)

    async def count_wedge(self, culprit: str) -> int:
        """Hold it against a recording that it broke the server; returns how often it has."""
        if len(self._own_wedges) >= _MOST_CULPRITS:
            self._own_wedges.clear()
        self._own_wedges[culprit] += 1
        try:
            return await self._shared.count_wedge(culprit)
        except SparkError:
            return self._own_wedges[culprit]

    async def wedges(self, culprit: str) -> int:
        """Return how often a recording broke the server."""
        if self._clock.monotonic() >= self._away_until:
            try:
                return await self._shared.wedges(culprit)
            except SparkError:
                self._away_until = self._clock.monotonic() + _AWAY_SECONDS
        return self._own_wedges[culprit]

    async def change(self, seconds: float) -> None:
        """Wait for the next change of the standing, so long at most."""
        changed = asyncio.create_task(self._changed.wait())
        time = asyncio.create_task(self._clock.sleep(seconds))
        try:
            await asyncio.wait((changed, time), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            time.cancel()

    async def _written(self, before: Standing, after: Standing) -> bool:
        try:
            if not await self._shared.change(before, after):
                self._adopt(await self._shared.read())
                return False
        except SparkError as error:
            log.debug("recovery.alone", reason=error.message)
        self._adopt(after)
        return True

    def _adopt(self, standing: Standing) -> None:
        if standing != self.standing:
            self.standing = standing
            self._changed.set()
            self._changed = asyncio.Event()
