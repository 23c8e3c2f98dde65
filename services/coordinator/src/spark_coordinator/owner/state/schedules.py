"""Schedules as a part of the exported state: what was registered, not what ran."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from spark_common.contracts.schedules import PutSchedule
from spark_common.errors import ConflictError, InvalidRequestError
from spark_coordinator.owner.state.section import Entry, Exported, SectionName, TakenIn
from spark_coordinator.schedules.registry import Registry


class ScheduleState:
    """Entries are registrations, word by word; one that is over is left out and told."""

    name: SectionName = "schedules"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def export(self) -> Exported:
        """Return all registrations, by id."""
        entries = sorted(await self._registry.all(), key=lambda one: one.id)
        return Exported(
            [one.schedule.model_dump(mode="json", exclude_defaults=True) for one in entries]
        )

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Register all of them; the same again changes nothing."""
        taken, warnings = 0, []
        for entry in entries:
            try:
                await self._registry.put(PutSchedule.model_validate(entry))
                taken += 1
            except ValidationError as wrong:
                place = ".".join(str(one) for one in wrong.errors(include_input=False)[0]["loc"])
                warnings.append(f"{_named(entry)} was left out: {place} is wrong")
            except (InvalidRequestError, ConflictError) as refusal:
                warnings.append(f"{_named(entry)} was left out: {refusal.message}")
        return TakenIn(taken, warnings=warnings)


def _named(entry: Entry) -> str:
    return f"the schedule {str(entry.get('id'))[:80]!r}"
