"""What the swap path needs of its records; Redis keeps them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from spark_common.jobs.store import Busy, Conflicting, KeptRecords, Known
from spark_common.leasing import Gate
from spark_swapper.records.jobs import SwapJob


@dataclass(frozen=True)
class Admitted:
    """The record and its places in the queue and the history are written."""

    behind: str | None
    """Id of the swap it waits for."""


class JobStore(KeptRecords[SwapJob], Protocol):
    """The records of swaps. ``writer`` is the fence of the worker that executes the swap.

    ``finish`` also keeps the duration of a swap that became ready.
    """

    async def admit(self, job: SwapJob) -> Admitted | Known[SwapJob] | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        ...

    async def recent(
        self, limit: int, *, before: datetime | None = None, model: str | None = None
    ) -> list[SwapJob]:
        """Return the latest swaps, newest first.

        ``before``: only those admitted earlier. ``model``: only those to this key.
        """
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

    async def tell_through(self, swap_id: str, requested_by: str) -> None:
        """Have it told that a person swaps through the lease of whoever holds it; once a swap."""
        ...
