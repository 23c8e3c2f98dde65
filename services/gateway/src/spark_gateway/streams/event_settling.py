"""Up to when no older event can come any more, over all streams."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_gateway.streams.reader import RETRY_SECONDS, StreamReader

VISIBLE_SECONDS = 0.15
"""How much later than a younger event of another stream an older one may become visible."""
LOOK_SECONDS = 0.2
"""How long after an arrival it is looked whether something older is missing."""
_REACH_SECONDS = 5.0


class Settling:
    """Finds out, once for all readers, which arrivals are in their final order.

    The server stamps an event before it is on disk, and every stream has a reader of its own:
    an event may arrive while an older one of another stream is still on its way. A moment later
    the server is asked how far each stream goes; when all readers are there, nothing older than
    what had arrived can be missing.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        readers: Sequence[StreamReader],
        on_settled: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._readers = readers
        self._on_settled = on_settled
        self._arrivals: deque[tuple[float, float]] = deque()
        self._newest = float("-inf")
        self._arrived = asyncio.Event()
        self._moved = asyncio.Event()
        self.horizon = float("-inf")
        """Events that the bus stored up to this moment of its clock are all here."""

    def arrival(self, stored_at: float) -> None:
        """A message arrived just now that the bus took at ``stored_at``."""
        now = self._clock.monotonic()
        if self._arrivals and self._arrivals[-1][0] == now:
            stored_at = max(stored_at, self._arrivals.pop()[1])
        self._arrivals.append((now, stored_at))
        self._newest = max(self._newest, stored_at)
        self._arrived.set()

    async def wait(self, within_seconds: float) -> None:
        """Wait until everything older than what has arrived by now is here; at most so long."""
        wanted = self._newest
        try:
            async with asyncio.timeout(within_seconds):
                while self.horizon < wanted:
                    await self._moved.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        """Settle what arrives, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._arrivals:
                await self._clock.sleep(LOOK_SECONDS)
                if not await self._look():
                    await self._clock.sleep(RETRY_SECONDS)

    async def _look(self) -> bool:
        began = self._clock.monotonic()
        try:
            found = await asyncio.gather(*(self._bus.bounds(r.stream) for r in self._readers))
        except SparkError:
            return False
        for reader, (_, _, last) in zip(self._readers, found, strict=True):
            if not await reader.reached(last, _REACH_SECONDS):
                return False
        while self._arrivals and self._arrivals[0][0] <= began - VISIBLE_SECONDS:
            self.horizon = max(self.horizon, self._arrivals.popleft()[1])
        self._moved.set()
        self._moved.clear()
        self._on_settled()
        return True
