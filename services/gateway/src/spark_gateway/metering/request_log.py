"""Sends a line per request to the coordinator: in batches, from a bounded memory, never waited for.

While the coordinator is away the lines wait; what does not fit is dropped and counted.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Final

import structlog

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.requests import APPEND_REQUESTS, AppendRequests
from spark_common.errors import SparkError, UnavailableError
from spark_common.ids import new_id
from spark_gateway.metering.kinds import kind_of
from spark_gateway.metering.log_lines import LogLines
from spark_gateway.metering.request import MeteredRequest

MOST_WAITING: Final = 5_000
"""Some five megabytes."""
BATCH: Final = 200
PAUSE_SECONDS: Final = 1.0
_BETWEEN_SECONDS: Final = 0.2
"""Between two batches while more wait than fit into one. More than a thousand requests a second
are not worth a processor's time, and no answer waits for more than one batch to be written."""
_ASK_SECONDS: Final = 5.0
_LAST_SECONDS: Final = 2.0

_LOG = structlog.get_logger()


class RequestLog:
    """The lines of this gateway that are still to be sent."""

    def __init__(self, bus: Bus, clock: Clock, wanted: Callable[[], bool]) -> None:
        """``wanted``: whether the owner wants a log."""
        self._bus = bus
        self._clock = clock
        self._wanted = wanted
        self._requests: deque[MeteredRequest] = deque()
        self._first = 1
        """Number of the oldest of them; the others have the next ones."""
        self._here = new_id()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many lines are still to be sent."""
        return len(self._requests)

    def add(self, requests: Sequence[MeteredRequest]) -> None:
        """Remember requests that are over, as far as there is room."""
        if not self._wanted():
            return
        room = MOST_WAITING - len(self._requests)
        self._requests += requests[:room] if room < len(requests) else requests
        self.dropped += max(0, len(requests) - room)

    async def run(self) -> None:
        """Send for ever."""
        pause = PAUSE_SECONDS
        while True:
            await self._clock.sleep(pause)
            gone = bool(self._requests) and await self.send()
            pause = _BETWEEN_SECONDS if gone and self._requests else PAUSE_SECONDS

    async def send(self) -> bool:
        """Send the oldest ones; return whether they need not be sent any more."""
        batch = list(islice(self._requests, BATCH))
        start = self._clock.now() - timedelta(seconds=self._clock.monotonic())
        lines = LogLines(start)
        written = [
            lines.line(request, f"{self._here}-{number}")
            for number, request in enumerate(batch, self._first)
            if kind_of(request.head.path).logged
        ]
        if not written:
            self._forget(batch)
            return True
        try:
            # Checked together, which takes half of what each would by itself.
            asked = AppendRequests.model_validate({"lines": written})
            await self._bus.call(APPEND_REQUESTS, asked, timeout_seconds=_ASK_SECONDS)
        except UnavailableError as error:
            _LOG.debug("requests.waiting", reason=error.message, lines=len(self._requests))
            return False
        except SparkError as error:
            # Sending it again would not help: the other side does not understand it.
            _LOG.warning("requests.refused", reason=error.message, lines=len(batch))
            self.dropped += len(batch)
        self._forget(batch)
        return True

    def _forget(self, batch: Sequence[MeteredRequest]) -> None:
        """These, the oldest ones, are settled."""
        for _ in batch:
            self._requests.popleft()
        self._first += len(batch)

    async def close(self) -> None:
        """Send what waits, but only for a moment."""
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                while self._requests and await self.send():
                    pass
        except TimeoutError:
            pass
        self.dropped += len(self._requests)
        self._requests.clear()
