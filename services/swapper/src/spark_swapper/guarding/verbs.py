"""The questions about a swap that nobody has asked for yet, and the way out of quarantine."""

from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.plans import (
    CLEAR_QUARANTINE,
    PLAN_SWAP,
    VALIDATE_MODEL,
    ClearQuarantine,
    QuarantineCleared,
)
from spark_common.errors import ModelNotReadyError, UnavailableError, UnknownModelError
from spark_swapper.admitting.planning import Planning
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.guarding.validating import Validating
from spark_swapper.ports import Shelf


class GuardVerbs:
    """Answers tests, plans and releases; none of them touches a Spark."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        planning: Planning,
        validating: Validating,
        quarantining: Quarantining,
    ) -> None:
        self._shelf = shelf
        self._planning = planning
        self._validating = validating
        self._quarantining = quarantining

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(VALIDATE_MODEL, self._validating.validate, limit=2),
            Serving(PLAN_SWAP, self._planning.outlook, limit=4),
            Serving(CLEAR_QUARANTINE, self.clear_quarantine),
        )

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
