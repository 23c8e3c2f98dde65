"""At most two downloads fetch on one Spark at a time; the others wait for their turn."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PER_HOST = 2


class Slots:
    """Turns per host. Who fetches already takes one without waiting: it cannot be unstarted."""

    def __init__(self, per_host: int = PER_HOST) -> None:
        self._per_host = per_host
        self._taken: dict[str, int] = defaultdict(int)
        self._freed = asyncio.Event()

    def full(self, host: str) -> bool:
        """Say whether somebody new has to wait."""
        return self._taken[host] >= self._per_host

    async def changed(self) -> None:
        """Wait until some turn ends."""
        await self._freed.wait()

    @asynccontextmanager
    async def held(self, host: str) -> AsyncIterator[None]:
        """Hold a turn; ask ``full`` first."""
        self._taken[host] += 1
        try:
            yield
        finally:
            self._taken[host] -= 1
            freed, self._freed = self._freed, asyncio.Event()
            freed.set()
