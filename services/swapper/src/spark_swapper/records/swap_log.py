"""The log of a swap that can be read for as long as its record is kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spark_common.bus.port import Serving
from spark_common.contracts.swaps import READ_SWAP_LOG, GetSwapLog, SwapLog
from spark_common.errors import NotFoundError
from spark_swapper.records.store import JobStore

_PAGE_BYTES = 600_000
"""A reply has to stay well below the bus's one megabyte."""


@dataclass(frozen=True)
class KeptLog:
    """The lines that are kept of one swap, over all its attempts."""

    lines: tuple[str, ...]
    cut: bool = False
    """The middle is missing; one line says so at its place."""


class SwapLogs(Protocol):
    """Keeps lines as they come."""

    def write(self, swap_id: str, lines: Sequence[str]) -> None:
        """Add lines. Never raises: a full disk must not end a swap."""
        ...

    async def close(self, swap_id: str) -> None:
        """The swap is over; what is kept may be made smaller. Never raises."""
        ...

    async def read(self, swap_id: str) -> KeptLog | None:
        """Return what is kept, also of a swap that runs; None when there is nothing."""
        ...


class SwapLogVerbs:
    """Answers who wants to read."""

    def __init__(self, logs: SwapLogs, store: JobStore) -> None:
        self._logs = logs
        self._store = store

    def verbs(self) -> Sequence[Serving]:
        """Return the verb with its function."""
        return (Serving(READ_SWAP_LOG, self.read, limit=4),)

    async def read(self, request: GetSwapLog) -> SwapLog:
        """Return one page; raises NotFoundError."""
        kept = await self._logs.read(request.id)
        if kept is None:
            if await self._store.get(request.id) is None:
                raise NotFoundError(f"there is no swap {request.id!r}", id=request.id)
            kept = KeptLog(())
        page = _fitting(kept.lines[request.after : request.after + request.limit])
        return SwapLog(
            id=request.id,
            lines=page,
            first=request.after + 1,
            total=len(kept.lines),
            cut=kept.cut,
        )


def _fitting(lines: Sequence[str]) -> list[str]:
    """Return as many lines as fit one reply, at least one."""
    size, page = 0, list[str]()
    for line in lines:
        size += len(json.dumps(line)) + 1
        if page and size > _PAGE_BYTES:
            break
        page.append(line)
    return page
