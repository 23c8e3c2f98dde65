"""The events of schedules, as they stand in the outbox until they are told."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from spark_common.contracts.schedules import Run
from spark_common.events import (
    ScheduleDue,
    ScheduleEvent,
    ScheduleFinished,
    ScheduleMissed,
    ScheduleRegistered,
    ScheduleRemoved,
)
from spark_common.ids import new_id
from spark_common.subjects import schedule_event
from spark_coordinator.outbox import Outgoing
from spark_coordinator.schedules.record import Entry, LiveRun

_TYPES: Mapping[str, type[ScheduleEvent]] = {
    event.type: event
    for event in (
        ScheduleRegistered,
        ScheduleRemoved,
        ScheduleDue,
        ScheduleFinished,
        ScheduleMissed,
    )
}


def event_of(entry: Mapping[str, Any]) -> Outgoing:
    """Return what an entry of the outbox tells."""
    kind = _TYPES[entry["type"]]
    word = kind.type.rpartition(".")[2]
    message = kind.model_validate(entry["data"])
    return Outgoing(schedule_event(word), message, entry["id"], entry.get("run"))


def registered(entry: Entry, replaced: bool, at: datetime) -> str:
    """Return the outbox entry: it was registered or replaced."""
    event = ScheduleRegistered(**_of_entry(entry, at), next_at=entry.next_at, replaced=replaced)
    return _written(event, new_id())


def removed(entry: Entry, requested_by: str, at: datetime) -> str:
    """Return the outbox entry: it was removed."""
    return _written(ScheduleRemoved(**_of_entry(entry, at), requested_by=requested_by), new_id())


def due(run: LiveRun, at: datetime) -> str:
    """Return the outbox entry: the time of a run has come."""
    event = ScheduleDue(**_of_run(run, at), run_id=run.id, nominal=run.nominal)
    return _written(event, f"{run.id}:due", run.id)


def finished(run: LiveRun, over: Run, at: datetime) -> str:
    """Return the outbox entry: a run that was carried out is over."""
    began = run.started_at or at
    event = ScheduleFinished(
        **_of_run(run, at),
        run_id=run.id,
        nominal=run.nominal,
        outcome=over.state,
        message=over.message,
        swap_id=over.swap_id,
        total_seconds=round(max(0.0, (at - began).total_seconds()), 3),
    )
    return _written(event, f"{run.id}:finished", run.id)


def missed(run: LiveRun, reason: str, at: datetime) -> str:
    """Return the outbox entry: a run did not happen."""
    event = ScheduleMissed(**_of_run(run, at), run_id=run.id, nominal=run.nominal, reason=reason)
    return _written(event, f"{run.id}:missed", run.id)


def _of_entry(entry: Entry, at: datetime) -> dict[str, Any]:
    schedule = entry.schedule
    return {
        "schedule_id": entry.id,
        "name": entry.name,
        "kind": schedule.kind,
        "owner": schedule.owner,
        "model": schedule.model,
        "at": at,
    }


def _of_run(run: LiveRun, at: datetime) -> dict[str, Any]:
    return {
        "schedule_id": run.schedule_id,
        "name": run.name,
        "kind": run.kind,
        "owner": run.owner,
        "model": run.swap_model or run.model,
        "at": at,
    }


def _written(event: ScheduleEvent, id: str, run: str | None = None) -> str:
    return json.dumps(
        {"type": event.type, "id": id, "run": run, "data": event.model_dump(mode="json")}
    )
