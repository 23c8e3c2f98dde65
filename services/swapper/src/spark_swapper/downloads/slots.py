"""At most two downloads fetch on one Spark at a time; the others wait for their turn."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

PER_HOST = 2


class Slots:
    """Turns per host. Who fetches already takes one without asking: it cannot be unstarted."""

    def __init__(self, per_host: int = PER_HOST) -> None:
        self._per_host = per_host
        self._taken: dict[str, int] = defaultdict(int)

    def full(self, host: str) -> bool:
        """Say whether somebody new has to wait."""
        return self._taken[host] >= self._per_host

    @contextmanager
    def held(self, host: str) -> Iterator[None]:
        """Hold a turn; ask ``full`` first."""
        self._taken[host] += 1
        try:
            yield
        finally:
            self._taken[host] -= 1
