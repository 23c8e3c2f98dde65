"""One worker's work on one swap: who orders, what may stop it, and where it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_swapper.causes import CancelRequested
from spark_swapper.records.journal import SwapJournal
from spark_swapper.runtime import Order

T = TypeVar("T")


class Cancellation:
    """A flag that is read at phase edges and in polls; no effect is interrupted half way."""

    def __init__(self, by: str | None = None) -> None:
        self._by = by
        self.wished = asyncio.Event()
        """Set once somebody wants the swap to stop."""

    @property
    def by(self) -> str | None:
        """Who wants it to stop; None while nobody does."""
        return self._by

    @by.setter
    def by(self, who: str) -> None:
        self._by = who
        self.wished.set()


async def _open() -> None:
    """Admit: for work that no lease concerns."""


@dataclass
class Attempt:
    """What every step of the runner needs."""

    journal: SwapJournal
    clock: Clock
    fence: int
    epoch: int
    cancellation: Cancellation = field(default_factory=Cancellation)
    check_gate: Callable[[], Awaitable[None]] = _open
    """Raises SwapFault when the lease was taken since; called right before the first effect."""
    cleared: bool = False
    """Whether the old model was seen to be gone, and nothing was started since."""

    def order(self, step: str) -> Order:
        """Return the order for one guarded step of this swap."""
        return Order(self.fence, self.epoch, self.journal.job.id, step)

    def stop_if_cancelled(self) -> None:
        """Raise CancelRequested when somebody wants the swap to stop."""
        if self.cancellation.by is not None:
            raise CancelRequested(self.cancellation.by)

    async def unless_cancelled(self, question: Awaitable[T]) -> T:
        """Await a question that touches nothing; end it and raise CancelRequested on a cancel."""
        asking = asyncio.ensure_future(question)
        stopping = asyncio.ensure_future(self.cancellation.wished.wait())
        try:
            self.stop_if_cancelled()
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            self.stop_if_cancelled()
            return asking.result()
        finally:
            asking.cancel()
            stopping.cancel()
            await asyncio.gather(asking, stopping, return_exceptions=True)

    def deadline(self, seconds: float) -> float:
        """Return the monotonic end of a phase, counting from when the swap entered it.

        A new worker does not start the time again.
        """
        began = self.journal.job.phases[-1].at
        spent = max(0.0, (self.clock.now() - began).total_seconds())
        return self.clock.monotonic() + max(0.0, seconds - spent)

    def elapsed_seconds(self, after: Phase = Phase.QUEUED) -> float:
        """Return the seconds since the swap left a phase (by default: the queue)."""
        marks = self.journal.job.phases
        began = next((mark.at for mark in marks if mark.phase is not after), marks[-1].at)
        return max(0.0, (self.clock.now() - began).total_seconds())
