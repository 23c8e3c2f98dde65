"""Whether the speech container may be disturbed now."""

from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from spark_common.bus.port import Bus
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps
from spark_common.errors import SparkError, SwapInProgressError
from spark_common.leasing import Gate, LeaseGate, held_error

_WAY_OUT = "Wait, or ask for it back with POST /api/swap/lock/yield"


class Obstacles(Protocol):
    """What may stand in the way."""

    async def admit(self, token: SecretStr | None) -> int:
        """Return the epoch under which a job may begin now.

        Raises SwapInProgressError, LeaseHeldError, UnavailableError.
        """
        ...

    async def now(self, epoch: int) -> str | None:
        """Say what is in the way of a job that was admitted, or nothing.

        Whoever cannot tell says that: nobody acts on a guess.
        """
        ...


@dataclass(frozen=True)
class SwapsAndLease:
    """Asks the swapper for its swaps and Redis for the lease.

    A swap does not say on which Sparks it loads, so any swap is one on this Spark.
    """

    bus: Bus
    lease: LeaseGate

    async def admit(self, token: SecretStr | None) -> int:
        """Return the epoch under which a job may begin now."""
        if (swap := await self._swap()) is not None:
            raise SwapInProgressError(
                f"a swap to {swap[1]} runs; wait for its end or cancel it", swap_id=swap[0]
            )
        gate = await self.lease.for_caller(token.get_secret_value() if token else None)
        if not gate.admitted:
            raise held_error(gate, _WAY_OUT)
        return gate.epoch

    async def now(self, epoch: int) -> str | None:
        """Say what is in the way of a job that was admitted, or nothing."""
        try:
            swap = await self._swap()
            gate: Gate = await self.lease.for_epoch(epoch)
        except SparkError as error:
            return f"it cannot be seen what else is going on: {error.message}"
        if swap is not None:
            return f"a swap to {swap[1]} runs"
        return None if gate.admitted else held_error(gate, "").message.rstrip(" .")

    async def _swap(self) -> tuple[str, str] | None:
        swaps = await self.bus.call(LIST_SWAPS, ListSwaps(limit=1))
        running = [swaps.current] if swaps.current is not None else swaps.queue[:1]
        return (running[0].id, running[0].model_name) if running else None
