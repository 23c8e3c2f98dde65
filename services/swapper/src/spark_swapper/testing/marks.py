"""What a deletion asks, as a test says: marks, swaps and a runtime in memory."""

from spark_common.contracts.models import RuntimeView
from spark_common.errors import UnavailableError
from spark_swapper.records.jobs import SwapJob


class MemoryMarks:
    """DeleteMarks that never expire. ``away`` plays an outage."""

    def __init__(self) -> None:
        self.away = False
        self.marked: set[str] = set()

    async def set(self, repo: str) -> None:
        """Mark a repository."""
        self._require()
        self.marked.add(repo.casefold())

    async def held(self, repo: str) -> bool:
        """Say whether it is marked."""
        self._require()
        return repo.casefold() in self.marked

    async def clear(self, repo: str) -> None:
        """Take the mark away."""
        self._require()
        self.marked.discard(repo.casefold())

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("Redis is away")


class FakeLoaded:
    """A runtime that is what a test says, and swaps likewise."""

    def __init__(self) -> None:
        self.runtime = RuntimeView(state="idle")
        self.jobs: list[SwapJob] = []

    async def look(self) -> None:
        """See nothing new."""

    def view(self) -> RuntimeView:
        """Return the runtime."""
        return self.runtime

    async def live(self) -> list[SwapJob]:
        """Return the swaps."""
        return list(self.jobs)
