"""So much a minute: refilled all the time, and overdrawn by what is known only afterwards. Pure."""

_MINUTE = 60.0


class Bucket:
    """Holds what may be spent now; a full one is the whole minute's. Times in seconds."""

    __slots__ = ("_at", "_left", "per_minute")

    def __init__(self, per_minute: int, now: float) -> None:
        """``per_minute``: 0 is no limit."""
        self.per_minute = per_minute
        self._left = float(per_minute)
        self._at = now

    def resize(self, per_minute: int, now: float) -> None:
        """Another limit from now on; what was spent stays spent."""
        if per_minute == self.per_minute:
            return
        self._refill(now)
        spent = self.per_minute - self._left if self.per_minute else 0.0
        self.per_minute = per_minute
        self._left = per_minute - spent

    def wait(self, now: float) -> float:
        """Return in how many seconds one may be spent; 0 is now."""
        if not self.per_minute:
            return 0.0
        self._refill(now)
        return 0.0 if self._left >= 1.0 else (1.0 - self._left) * _MINUTE / self.per_minute

    def take(self, amount: float, now: float) -> None:
        """Spend, whether or not it is there."""
        if self.per_minute:
            self._refill(now)
            self._left -= amount

    def _refill(self, now: float) -> None:
        gained = max(0.0, now - self._at) * self.per_minute / _MINUTE
        self._left = min(float(self.per_minute), self._left + gained)
        self._at = now
