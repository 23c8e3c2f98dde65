"""Schedules as everybody sees them, within what a reply may carry."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from spark_common.contracts.schedules import Conflict, Run, Schedules, ScheduleView
from spark_coordinator.schedules import conflicts
from spark_coordinator.schedules.calendar import REPLY_BYTES
from spark_coordinator.schedules.conflicts import StandingLease
from spark_coordinator.schedules.occurrences import to_come
from spark_coordinator.schedules.record import Entry, LiveRun

_AHEAD = timedelta(days=7)
_OF_EACH = 200
"""Runs of one schedule that are looked at for conflicts."""
_AT_ALL = 3000
_OF_ONE, _OF_MANY = 20, 3
"""Conflicts that are told of one schedule, alone and in the list."""


def conflicts_ahead(
    entries: Sequence[Entry],
    now: datetime,
    lease: StandingLease | None,
    most: int = _OF_ONE,
    only: str | None = None,
) -> dict[str, list[Conflict]]:
    """Return the conflicts of the next seven days, earliest first, by schedule.

    ``only``: the conflicts of the others may be left out.
    """
    upcoming = to_come(entries, now, now + _AHEAD, each=_OF_EACH)
    runs = [run for run, _ in zip(upcoming, range(_AT_ALL), strict=False)]
    return conflicts.of_schedule(runs, conflicts.found(runs, now, lease, only), most)


def view(
    entry: Entry, runs: Sequence[Run], live: Sequence[LiveRun], conflicting: Sequence[Conflict]
) -> ScheduleView:
    """Return one schedule with its latest runs."""
    going_on = [run.view() for run in reversed(live) if run.schedule_id == entry.id]
    every = [*going_on, *runs]
    return ScheduleView(
        schedule=entry.schedule,
        next_at=entry.next_at,
        last=every[0] if every else None,
        runs=every,
        conflicts=list(conflicting),
        created_at=entry.created_at,
        revision=entry.revision,
    )


def listed(
    entries: Sequence[Entry],
    latest: Mapping[str, Sequence[Run]],
    live: Sequence[LiveRun],
    now: datetime,
    lease: StandingLease | None,
) -> Schedules:
    """Return all schedules by their next run; what does not fit into a reply is left out last."""
    ahead = conflicts_ahead(entries, now, lease, _OF_MANY)
    told: list[ScheduleView] = []
    size = 0
    for entry in entries:
        whole = view(entry, latest.get(entry.id, ()), live, ahead.get(entry.id, ()))
        short = whole.model_copy(update={"runs": []})
        left = (REPLY_BYTES - size) / (len(entries) - len(told))
        short = _fitted(short, left)
        size += len(short.model_dump_json().encode())
        told.append(short)
    return Schedules(schedules=told)


def _fitted(one: ScheduleView, most_bytes: float) -> ScheduleView:
    """Return it within its share of a reply: without conflicts, then without its note."""
    if len(one.model_dump_json().encode()) <= most_bytes:
        return one
    one = one.model_copy(update={"conflicts": []})
    if len(one.model_dump_json().encode()) <= most_bytes:
        return one
    schedule = one.schedule.model_copy(update={"note": ""})
    return one.model_copy(update={"schedule": schedule, "last": None})
