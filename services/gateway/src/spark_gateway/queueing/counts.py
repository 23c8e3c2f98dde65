"""What happened at the turnstile: plain numbers, read when somebody asks."""

from bisect import bisect_left
from typing import Final

WAIT_BUCKETS: Final = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
"""Upper bounds in seconds; a last bucket without bound follows."""


class Counts:
    """Of one upstream. Times in seconds."""

    __slots__ = ("buckets", "displaced", "full", "left", "seconds", "timed_out")

    def __init__(self) -> None:
        self.buckets = [0] * (len(WAIT_BUCKETS) + 1)
        """How often somebody went in, by how long that took; the first has those at once."""
        self.seconds = 0.0
        """Sum of all waits that ended inside."""
        self.full = 0
        self.displaced = 0
        """Sent away because somebody else had fewer waiting and the line was full."""
        self.timed_out = 0
        self.left = 0
        """The client went away while it waited."""

    def entered(self, seconds: float) -> None:
        """Somebody went in after so long."""
        self.buckets[bisect_left(WAIT_BUCKETS, seconds)] += 1
        self.seconds += seconds
