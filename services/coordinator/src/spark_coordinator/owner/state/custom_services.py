"""Services of the owner's own, which stand in a file of the health service."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from spark_common.bus.port import Bus
from spark_common.contracts.services import (
    READ_OWN_SERVICES,
    SAVE_SERVICE,
    ReadOwnServices,
    SaveService,
)
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_coordinator.owner.state.section import Entry, Exported, SectionName, TakenIn

_SECONDS: Final = 3.0


class CustomServices:
    """Entries by name; one of the same name is replaced."""

    name: SectionName = "custom_services"

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def export(self) -> Exported:
        """Return all entries. Raises ServiceUnavailableError."""
        own = await self._bus.call(READ_OWN_SERVICES, ReadOwnServices(), timeout_seconds=_SECONDS)
        return Exported(own.entries)

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Put each on the list. Raises ServiceUnavailableError."""
        taken, warnings = 0, []
        for entry in entries:
            name = repr(str(entry.get("name", ""))[:60])
            try:
                order = SaveService.model_validate(
                    {**entry, "replace": True, "requested_by": requested_by}
                )
                await self._bus.call(SAVE_SERVICE, order, timeout_seconds=_SECONDS)
                taken += 1
            except ValidationError as wrong:
                where = wrong.errors(include_input=False)[0]["loc"]
                place = ".".join(str(part) for part in where)[:60]
                warnings.append(f"the service {name} was left out: {place} is wrong")
            except (ConflictError, InvalidRequestError, NotFoundError) as error:
                warnings.append(f"the service {name} was left out: {error.message}")
        return TakenIn(taken, warnings=warnings)
