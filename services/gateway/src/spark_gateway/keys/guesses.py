"""How often an address may show a wrong key at the door of the dashboard."""

from collections import OrderedDict
from typing import Final

from spark_common.clock import Clock
from spark_gateway.keys.bucket import Bucket

PER_MINUTE: Final = 10
_REMEMBERED: Final = 4096


class Guesses:
    """Counts by address, so that one who guesses keeps nobody else out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: OrderedDict[str, Bucket] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return in how many seconds an address may show a key again; 0 is now."""
        bucket = self._left.get(address)
        return bucket.wait(self._clock.monotonic()) if bucket is not None else 0.0

    def wrong(self, address: str) -> None:
        """Count a wrong one."""
        now = self._clock.monotonic()
        bucket = self._left.pop(address, None) or Bucket(PER_MINUTE, now)
        bucket.take(1.0, now)
        self._left[address] = bucket
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
