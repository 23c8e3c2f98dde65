"""What a deletion needs to know before it may touch anything."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from spark_common.contracts.models import RuntimeView
from spark_swapper.records.jobs import SwapJob

BusyWith = Callable[[str], Awaitable[str | None]]
"""Says in one plain sentence what else works on the files of a repository; None for nothing."""


async def nothing_else(repo: str) -> str | None:
    """Work on nothing."""
    return None


class Loaded(Protocol):
    """What the runtime does, looked at now."""

    async def look(self) -> None:
        """Look again; never raises for what a Spark does."""
        ...

    def view(self) -> RuntimeView:
        """Return what was seen."""
        ...


class LiveSwaps(Protocol):
    """The swaps that are not over."""

    async def live(self) -> list[SwapJob]:
        """Return them, queued ones too. Raises UnavailableError."""
        ...


class DeleteMarks(Protocol):
    """Which repositories are being deleted; both doors look here before they go on.

    A deletion sets its mark and then reads the live swaps; a swap is written down as live and
    then its worker asks for the mark, before it starts anything. So one of the two always sees
    the other. A mark expires by itself some time after the process that set it died.
    """

    async def set(self, repo: str) -> None:
        """Mark a repository. Raises UnavailableError."""
        ...

    async def held(self, repo: str) -> bool:
        """Say whether a repository is marked. Raises UnavailableError."""
        ...

    async def clear(self, repo: str) -> None:
        """Take the mark away. Raises UnavailableError: then it expires."""
        ...
