"""Whether a job may disturb a Spark now, and the lease while it does."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from spark_common.errors import SparkError, SwapInProgressError, UnavailableError
from spark_common.leasing import Gate, LeaseGate, held_error
from spark_health.deep.scene import Scene
from spark_health.remedies.holding import InTheWayError, Leases

_WAY_OUT = "Wait, or ask for it back with POST /api/swap/lock/yield"


class Obstacles(Protocol):
    """What may stand in the way on one Spark."""

    async def admit(self, host: str, token: SecretStr | None) -> int:
        """Return the epoch under which a job may begin now.

        Raises SwapInProgressError, LeaseHeldError, UnavailableError.
        """
        ...

    async def epoch(self, token: SecretStr | None) -> int:
        """Return the epoch of a caller who was admitted already. Raises UnavailableError."""
        ...

    async def now(self, host: str, epoch: int) -> str | None:
        """Say what is in the way of a job that was admitted, or nothing.

        Whoever cannot tell says that: nobody acts on a guess.
        """
        ...

    def held(
        self, host: str, epoch: int, order: str, reason: str
    ) -> AbstractAsyncContextManager[None]:
        """Be the only one who decides about the Spark. Raises InTheWayError.

        ``order``: what it is for; whoever carries that on holds the same lease.
        """
        ...


@dataclass(frozen=True)
class SwapsAndLease:
    """Asks the swapper for its swaps and Redis for the lease, and takes it of the coordinator."""

    scene: Scene
    lease: LeaseGate
    leases: Leases

    async def admit(self, host: str, token: SecretStr | None) -> int:
        """Return the epoch under which a job may begin now."""
        if (swap := await self._swap(host)) is not None:
            raise SwapInProgressError(f"{swap}; wait for its end or cancel it", host=host)
        gate = await self.lease.for_caller(token.get_secret_value() if token else None)
        if not gate.admitted:
            raise held_error(gate, _WAY_OUT)
        return gate.epoch

    async def epoch(self, token: SecretStr | None) -> int:
        """Return the epoch of a caller who was admitted already."""
        return (await self.lease.for_caller(token.get_secret_value() if token else None)).epoch

    async def now(self, host: str, epoch: int) -> str | None:
        """Say what is in the way of a job that was admitted, or nothing."""
        try:
            swap = await self._swap(host)
            gate: Gate = await self.lease.for_epoch(epoch)
        except SparkError as error:
            return f"it cannot be seen what else is going on: {error.message}"
        if swap is not None:
            return swap
        return None if gate.admitted else held_error(gate, "").message.rstrip(" .")

    @asynccontextmanager
    async def held(self, host: str, epoch: int, order: str, reason: str) -> AsyncIterator[None]:
        """Hold the lease inside, unless the job was admitted under one that is held now."""
        try:
            gate = await self.lease.for_epoch(epoch)
        except UnavailableError as error:
            raise InTheWayError(error.message) from error
        if gate.state != "free":
            if not gate.admitted:
                raise InTheWayError(held_error(gate, "").message.rstrip(" ."))
            # It is the caller's own: nobody else swaps.
            yield
            return
        async with self.leases.held(order, reason):
            if (reason_not := await self._in_the_way(host)) is not None:
                raise InTheWayError(reason_not)
            yield

    async def _in_the_way(self, host: str) -> str | None:
        try:
            return await self._swap(host)
        except UnavailableError as error:
            return error.message

    async def _swap(self, host: str) -> str | None:
        """Return the swap on that Spark, or one anywhere that still looks at the lease."""
        return (await self.scene.swapping()).get(host) or await self.scene.unsettled()
