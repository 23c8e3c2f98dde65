"""The questions about a swap that nobody has asked for yet, and the way out of quarantine."""

from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.plans import (
    CLEAR_QUARANTINE,
    PLAN_SWAP,
    VALIDATE_MODEL,
    ClearQuarantine,
    PlanSwap,
    QuarantineCleared,
    SwapPlan,
)
from spark_common.contracts.swaps import Cause
from spark_common.errors import ModelNotReadyError, UnavailableError, UnknownModelError
from spark_swapper import causes
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.guarding.validating import Validating
from spark_swapper.planning import Planning
from spark_swapper.ports import Shelf
from spark_swapper.store import JobStore, LeaseGate


class GuardVerbs:
    """Answers tests, plans and releases; none of them touches a Spark."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        store: JobStore,
        gate: LeaseGate,
        planning: Planning,
        validating: Validating,
        quarantining: Quarantining,
    ) -> None:
        self._shelf = shelf
        self._store = store
        self._gate = gate
        self._planning = planning
        self._validating = validating
        self._quarantining = quarantining

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(VALIDATE_MODEL, self._validating.validate, limit=2),
            Serving(PLAN_SWAP, self.plan, limit=4),
            Serving(CLEAR_QUARANTINE, self.clear_quarantine),
        )

    async def plan(self, request: PlanSwap) -> SwapPlan:
        """Return what a swap would do; raises UnknownModelError."""
        running, refusals = await self._admission(request)
        try:
            candidate = await self._shelf.find(request.model)
        except (ModelNotReadyError, UnavailableError) as error:
            return await self._planning.without(request.model, error, running)
        return await self._planning.outlook(candidate, refusals, running)

    async def clear_quarantine(self, request: ClearQuarantine) -> QuarantineCleared:
        """Let a model be loaded again; one that is not in quarantine stays as it is.

        Raises UnknownModelError for a name that is neither on the menu nor in quarantine.
        """
        key = await self._key(request.model)
        return QuarantineCleared(model=key, was=await self._quarantining.release(key))

    async def _key(self, name: str) -> str:
        """Return the key of a model, also of one that cannot be started now."""
        if await self._quarantining.of(name) is not None:
            return name
        try:
            return (await self._shelf.find(name)).key
        except UnknownModelError:
            raise
        except (ModelNotReadyError, UnavailableError) as error:
            return str(error.details.get("model") or name)

    async def _admission(self, request: PlanSwap) -> tuple[str | None, list[Cause]]:
        """Return the swap that runs, and why another would not be admitted now."""
        refusals = []
        token = request.lock_token.get_secret_value() if request.lock_token else None
        running: str | None = None
        try:
            gate = await self._gate.for_caller(token)
            if not gate.admitted:
                refusals.append(causes.lease_held(gate.holder or "somebody"))
            live = await self._store.live()
        except UnavailableError as error:
            return None, [causes.refused(error)]
        if live:
            running = live[0].id
            refusals.append(causes.swap_runs(running))
        return running, refusals
