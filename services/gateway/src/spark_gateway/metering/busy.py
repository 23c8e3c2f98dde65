"""How long a server had anything to do. Pure."""


class BusyTime:
    """Adds up the time during which at least one request was under way."""

    __slots__ = ("_since", "_total", "_under_way")

    def __init__(self) -> None:
        self._under_way = 0
        self._since = 0.0
        self._total = 0.0

    def began(self, now: float) -> None:
        """A request was sent."""
        if not self._under_way:
            self._since = now
        self._under_way += 1

    def over(self, now: float) -> None:
        """A request that was sent is over."""
        self._under_way -= 1
        if not self._under_way:
            self._total += now - self._since

    def seconds(self, now: float) -> float:
        """Return the sum until now, what goes on included."""
        return self._total + (now - self._since if self._under_way else 0.0)
