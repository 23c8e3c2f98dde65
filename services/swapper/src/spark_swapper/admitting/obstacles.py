"""What stands against admitting a swap at this moment, told without asking for one."""

from dataclasses import dataclass

from pydantic import SecretStr

from spark_common.contracts.swaps import Cause
from spark_common.errors import UnavailableError
from spark_swapper import causes
from spark_swapper.driving.standstill import Updating, nobody
from spark_swapper.records.store import JobStore, LeaseGate


@dataclass(frozen=True)
class Standing:
    """Why a swap would not begin now, whatever its model."""

    refused: tuple[Cause, ...] = ()
    busy: tuple[Cause, ...] = ()
    """What a swap that asks to be queued waits for."""
    running: str | None = None
    """Id of the swap that is not over."""


class Obstacles:
    """The lease, another swap, an update of the cluster software."""

    def __init__(self, store: JobStore, gate: LeaseGate, updating: Updating = nobody) -> None:
        self._store = store
        self._gate = gate
        self._updating = updating

    async def now(self, lock_token: SecretStr | None, *, override: bool = False) -> Standing:
        """Look at all of them; records that are away refuse everybody.

        ``override``: the lease of somebody else is no obstacle.
        """
        token = lock_token.get_secret_value() if lock_token else None
        try:
            gate = await self._gate.for_caller(token)
            live, update = await self._store.live(), await self._updating()
        except UnavailableError as error:
            return Standing((causes.refused(error),))
        refused = (
            () if gate.admitted or override else (causes.lease_held(gate.holder or "somebody"),)
        )
        running = live[0].id if live else None
        busy = [causes.swap_runs(running)] if running is not None else []
        if update is not None:
            busy.append(causes.being_updated())
        return Standing(refused, tuple(busy), running)
