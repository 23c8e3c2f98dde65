"""Announced maintenance, which the health service keeps."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.health import (
    BEGIN_MAINTENANCE,
    LIST_MAINTENANCE,
    BeginMaintenance,
    ListMaintenance,
    Maintenance,
)
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_coordinator.owner.state.section import Entry, Exported, SectionName, TakenIn

_SECONDS: Final = 3.0
_DAY_SECONDS: Final = 86_400.0


class MaintenanceState:
    """Windows that run or come; one that is over when it is taken in is left out."""

    name: SectionName = "maintenance"

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def export(self) -> Exported:
        """Return the windows. Raises ServiceUnavailableError."""
        known = await self._bus.call(LIST_MAINTENANCE, ListMaintenance(), timeout_seconds=_SECONDS)
        return Exported([one.model_dump(mode="json", exclude={"active"}) for one in known.windows])

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Announce them again, each under its own id. Raises ServiceUnavailableError."""
        taken, warnings = 0, []
        for entry in entries:
            try:
                window = Maintenance.model_validate(entry)
                order = self._order(window)
                if order is None:
                    continue
                await self._bus.call(BEGIN_MAINTENANCE, order, timeout_seconds=_SECONDS)
                taken += 1
            except ValidationError:
                warnings.append("a window of maintenance cannot be read and was left out")
            except (NotFoundError, InvalidRequestError, ConflictError) as error:
                warnings.append(f"a window of maintenance was left out: {error.message}")
        return TakenIn(taken, warnings=warnings)

    def _order(self, window: Maintenance) -> BeginMaintenance | None:
        """Return what announces the rest of a window; None when it is over."""
        now, starts = self._clock.now(), _utc(window.starts_at)
        minutes = (_utc(window.ends_at) - max(now, starts)).total_seconds() / 60
        if minutes <= 0:
            return None
        return BeginMaintenance(
            id=window.id,
            target=window.target,
            minutes=min(max(1.0, minutes), 7 * _DAY_SECONDS / 60),
            starts_at=starts if starts > now else None,
            reason=window.reason,
            requested_by=window.requested_by,
        )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
