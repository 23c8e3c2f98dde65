"""A clock on which every second of the product passes sooner, the same in all processes."""

import asyncio
import time
from datetime import UTC, datetime

SPEED = 15.0
ACK_WAIT_SECONDS = 15.0 / SPEED
"""What the fifteen seconds of the product are here; the server's clock cannot be scaled."""


class FastClock:
    """Fifteen of its seconds pass in one."""

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch

    def now(self) -> datetime:
        """Count from a moment all processes share."""
        seconds = self._epoch + (time.time() - self._epoch) * SPEED
        return datetime.fromtimestamp(seconds, UTC)

    def monotonic(self) -> float:
        """Return scaled seconds."""
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        """Wait a fraction of it."""
        await asyncio.sleep(seconds / SPEED)
