"""What has to end before a swap may touch a Spark."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

Updating: TypeAlias = Callable[[], Awaitable[str | None]]
"""Returns the id of the update of the cluster software that runs, or None."""


async def nobody() -> str | None:
    """Say that no update runs: for a swap path without updates."""
    return None
