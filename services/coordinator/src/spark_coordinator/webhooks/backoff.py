"""When a failed delivery is tried again, and when it is given up."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Backoff:
    """Waits that double from ``first_seconds`` to ``longest_seconds``, with jitter."""

    first_seconds: float = 5.0
    longest_seconds: float = 3600.0
    jitter: float = 0.2
    """Up to this part of a wait is added or, at the longest wait, taken away."""
    give_up_after: timedelta = timedelta(hours=72)
    """Counted from when the event was owed; the first failed try after it is the last."""
    chance: Callable[[], float] = field(default=random.random)

    def horizon(self, now: datetime) -> datetime:
        """Return the latest moment until which a delivery may have to wait."""
        return now + timedelta(seconds=self.longest_seconds)

    def wait_seconds(self, tries: int) -> float:
        """Return the wait after the ``tries``-th failure, counted from 1."""
        doublings = min(max(tries, 1) - 1, 64)
        wait = min(self.longest_seconds, self.first_seconds * float(2**doublings))
        part = wait * self.jitter * self.chance()
        return wait + part if wait + part <= self.longest_seconds else self.longest_seconds - part
