"""After the end of a lease: does anything of its time still run?"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from spark_common.bus.port import Bus
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps
from spark_common.contracts.traffic import GET_TRAFFIC, GetTraffic
from spark_common.errors import SparkError

_ASK_SECONDS = 1.0


@dataclass(frozen=True)
class Remaining:
    """What still runs."""

    swap: bool
    """A swap admitted under that lease is not over, or nobody can say."""
    answers: bool
    """Answers are being written."""


class Work(Protocol):
    """Who knows what runs."""

    async def remaining(self, epoch: int) -> Remaining:
        """Return what still runs of the lease with this number."""
        ...


class WorkOnTheBus:
    """Asks the swapper for its swaps and a gateway for its answers."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def remaining(self, epoch: int) -> Remaining:
        """Return what still runs; a silent swapper may be in the middle of it."""
        swap, answers = await asyncio.gather(self._swap(epoch), self._answers())
        return Remaining(swap=swap, answers=answers)

    async def _swap(self, epoch: int) -> bool:
        try:
            swaps = await self._bus.call(
                LIST_SWAPS, ListSwaps(limit=1), timeout_seconds=_ASK_SECONDS
            )
        except SparkError:
            return True
        living = [*swaps.queue, *([swaps.current] if swaps.current is not None else [])]
        return any(swap.lease_epoch == epoch and swap.finished_at is None for swap in living)

    async def _answers(self) -> bool:
        """Whatever no gateway counts, nobody waits for: the data plane stands without us."""
        try:
            traffic = await self._bus.call(GET_TRAFFIC, GetTraffic(), timeout_seconds=_ASK_SECONDS)
        except SparkError:
            return False
        return traffic.in_flight > 0
