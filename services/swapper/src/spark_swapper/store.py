"""What the swap path needs of its records; Redis keeps them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from spark_swapper.jobs import SwapJob


class StaleWriterError(Exception):
    """Another worker owns the record now, or it moved on since it was read."""


@dataclass(frozen=True)
class Admitted:
    """The record and its places in the queue and the history are written."""

    behind: str | None
    """Id of the swap it waits for."""


@dataclass(frozen=True)
class Known:
    """The same request was admitted before."""

    job: SwapJob


@dataclass(frozen=True)
class Conflicting:
    """The id belongs to another request."""


@dataclass(frozen=True)
class Busy:
    """Another swap is not over."""

    swap_id: str


@dataclass(frozen=True)
class Gate:
    """What one read of the lease says."""

    admitted: bool
    epoch: int
    holder: str | None = None
    remaining_seconds: float | None = None


class JobStore(Protocol):
    """The records of swaps. Every method raises UnavailableError when the store is away."""

    async def admit(self, job: SwapJob) -> Admitted | Known | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        ...

    async def get(self, swap_id: str) -> SwapJob | None:
        """Return a swap, or None when it is not known (any more)."""
        ...

    async def live(self) -> list[SwapJob]:
        """Return the swaps that are not over, oldest first."""
        ...

    async def recent(
        self, limit: int, *, before: datetime | None = None, model: str | None = None
    ) -> list[SwapJob]:
        """Return the latest swaps, newest first.

        ``before``: only those admitted earlier. ``model``: only those to this key.
        """
        ...

    async def save(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write one step if the record is still at ``expected`` or belongs to ``writer``.

        ``writer`` is the fence of the worker that executes the swap; the first save claims the
        record for it. Raises StaleWriterError.
        """
        ...

    async def finish(self, job: SwapJob, expected: int, writer: int) -> None:
        """Write the end likewise, take the swap out of the queue, keep its duration if ready."""
        ...

    async def request_cancel(self, swap_id: str, by: str) -> None:
        """Remember that somebody wants this swap to stop; the first one is kept."""
        ...

    async def cancel_requested(self, swap_id: str) -> str | None:
        """Return who wants it to stop, or None."""
        ...

    async def usual_seconds(self, key: str) -> float | None:
        """Return the median of the latest successful swaps to a model; None before the first."""
        ...

    async def usual_pair_seconds(self, previous: str | None, key: str) -> float | None:
        """Return the same for swaps from one model (None: from nothing) to another.

        Falls back to all swaps to it while this pair is new.
        """
        ...

    async def keep_degraded(self, repo: str, reason: str) -> None:
        """Remember the loaded model whose answers are gibberish; an empty ``repo`` forgets."""
        ...

    async def degraded(self) -> tuple[str, str] | None:
        """Return (repository, reason) of it, or None."""
        ...

    async def raise_fence(self, floor: int, epoch_floor: int = 0) -> int:
        """Return a fresh fence, higher than any before and than ``floor``.

        Also lifts the lease's epoch to at least ``epoch_floor``.
        """
        ...


class LeaseGate(Protocol):
    """The lease as one read. Raises UnavailableError: nobody swaps on a guess."""

    async def for_caller(self, token: str | None) -> Gate:
        """Say whether a caller with this token may swap now, and under which epoch."""
        ...

    async def for_epoch(self, epoch: int) -> Gate:
        """Say whether a swap admitted under ``epoch`` may still run."""
        ...
