"""Logs of swaps in memory."""

from collections.abc import Sequence

from spark_swapper.records.swap_log import KeptLog


class MemoryLogs:
    """Keeps every line; ``closed`` lists the swaps that are over."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self.closed: list[str] = []

    def write(self, swap_id: str, lines: Sequence[str]) -> None:
        """Add lines."""
        self._lines.setdefault(swap_id, []).extend(lines)

    async def close(self, swap_id: str) -> None:
        """Remember that it is over."""
        self.closed.append(swap_id)

    async def read(self, swap_id: str) -> KeptLog | None:
        """Return all lines."""
        lines = self._lines.get(swap_id)
        return None if lines is None else KeptLog(tuple(lines))
