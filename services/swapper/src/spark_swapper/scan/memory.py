"""What each Spark said last, kept over a restart of the swapper."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from spark_swapper.scan.reply import Look


@dataclass(frozen=True)
class Seen:
    """An answer of a Spark and when it came."""

    look: Look
    at: datetime


class LookStore(Protocol):
    """Keeps one answer per host. Both methods raise UnavailableError when the store is away."""

    async def remember(self, host: str, seen: Seen) -> None:
        """Replace what was kept of a host."""
        ...

    async def recall(self, host: str) -> Seen | None:
        """Return what was kept; None for nothing, or for what an older swapper wrote."""
        ...


class NoMemory:
    """Keeps nothing, for what needs no more than the present."""

    async def remember(self, host: str, seen: Seen) -> None:
        """Forget it at once."""

    async def recall(self, host: str) -> Seen | None:
        """Return nothing."""
        return None
