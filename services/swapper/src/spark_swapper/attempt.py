"""One worker's work on one swap: who orders, what may stop it, and where it is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_swapper.causes import CancelRequested
from spark_swapper.journal import SwapJournal
from spark_swapper.runtime import Order


@dataclass
class Cancellation:
    """A flag that is read at phase edges and in polls; nothing is interrupted half way."""

    by: str | None = None


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

    def order(self, step: str) -> Order:
        """Return the order for one guarded step of this swap."""
        return Order(self.fence, self.epoch, self.journal.job.id, step)

    def stop_if_cancelled(self) -> None:
        """Raise CancelRequested when somebody wants the swap to stop."""
        if self.cancellation.by is not None:
            raise CancelRequested(self.cancellation.by)

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
