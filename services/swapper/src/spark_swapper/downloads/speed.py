"""How fast bytes come, over the last seconds, and for how long none came."""

from collections import deque

WINDOW_SECONDS = 15.0
_FEWEST_SECONDS = 1.0


class Speed:
    """Fed with (time, bytes on disk); files that start over never count as negative speed."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._most = -1
        self._moved_at: float | None = None

    def feed(self, now: float, done_bytes: int) -> None:
        """Take a measurement; ``now`` in seconds of a monotonic clock."""
        if self._seen and done_bytes < self._seen[-1][1]:
            self._seen.clear()
            self._most = -1
        self._seen.append((now, done_bytes))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        if done_bytes > self._most or self._moved_at is None:
            self._most = done_bytes
            self._moved_at = now

    @property
    def bytes_per_second(self) -> float | None:
        """Return the speed; None before it can be told, and while nothing moves."""
        if len(self._seen) < 2:
            return None
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        seconds = last_at - first_at
        if seconds < _FEWEST_SECONDS or last <= first:
            return None
        return (last - first) / seconds

    def still_seconds(self, now: float) -> float:
        """Return for how long no byte came."""
        return 0.0 if self._moved_at is None else max(0.0, now - self._moved_at)

    def eta_seconds(self, missing_bytes: int | None) -> float | None:
        """Return how long the rest takes at this speed."""
        speed = self.bytes_per_second
        if speed is None or missing_bytes is None:
            return None
        return round(max(0, missing_bytes) / speed, 1)
