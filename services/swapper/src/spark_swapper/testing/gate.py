"""A lease that a test sets."""

from spark_common.errors import UnavailableError
from spark_common.leasing import Gate


class FakeGate:
    """Nobody holds the cluster until ``take`` says so."""

    def __init__(self) -> None:
        self.away = False
        self._token: str | None = None
        self._epoch = 0
        self._holder = ""
        self.through: list[tuple[str, str]] = []
        """Swaps that went through the lease of somebody else, and who decided that."""

    def take(self, holder: str, token: str) -> int:
        """Hold the cluster; returns the new epoch."""
        self._token, self._holder = token, holder
        self._epoch += 1
        return self._epoch

    def release(self) -> None:
        """Let it go; the epoch stays."""
        self._token = None

    async def for_caller(self, token: str | None) -> Gate:
        """Say whether a caller with this token may swap now."""
        self._require()
        held = self._token is not None
        return Gate(not held or token == self._token, self._epoch, self._holder or None, 60.0)

    async def for_epoch(self, epoch: int) -> Gate:
        """Say whether a swap admitted under ``epoch`` may still run."""
        self._require()
        held = self._token is not None
        return Gate(not held or epoch == self._epoch, epoch, self._holder or None, 60.0)

    async def tell_through(self, swap_id: str, requested_by: str) -> None:
        """Note it, once a swap."""
        self._require()
        told = (swap_id, requested_by)
        if self._token is not None and told not in self.through:
            self.through.append(told)

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("cannot verify the reservation: Redis is away")
