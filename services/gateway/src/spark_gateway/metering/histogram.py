"""A histogram as plain integers, cheap to add to and read only when somebody asks. Pure."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """How often a value lay below each bound."""

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        """Upper bounds, ascending; one without bound follows."""
        self.total = 0.0
        """Sum of all values."""
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        """Take in one value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def cumulative(self) -> list[tuple[str, float]]:
        """Return, as Prometheus wants it, each bound and how many values lay at or below it."""
        found: list[tuple[str, float]] = []
        below = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self._counts, strict=True):
            below += count
            found.append((bound, below))
        return found
