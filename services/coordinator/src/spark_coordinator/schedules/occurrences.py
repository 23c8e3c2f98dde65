"""Runs as spans of time: those to come from the definitions, those that were from the logs."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Literal

from spark_common.contracts.schedules import PutSchedule, Run
from spark_coordinator.schedules.record import Entry, LiveRun
from spark_coordinator.schedules.times import nominals

_MILLISECOND = timedelta(milliseconds=1)
USUAL_MINUTES: Mapping[str, float] = {
    "swap": 10,
    "warm": 10,
    "restart": 10,
    "sweep": 1,
    "snapshot": 5,
    "outside": 30,
}
"""How long a run is taken to last whose schedule does not say."""

State = Literal["planned", "running", "done", "failed", "missed", "skipped"]


@dataclass(frozen=True)
class Occurrence:
    """One run of a schedule, from when to when."""

    entry: Entry
    at: datetime
    until: datetime
    state: State = "planned"


def duration_of(schedule: PutSchedule) -> timedelta:
    """Return how long a run is expected to take."""
    return timedelta(minutes=schedule.duration_minutes or USUAL_MINUTES[schedule.kind])


def to_come(
    entries: Iterable[Entry], start: datetime, end: datetime, each: int | None = None
) -> Iterator[Occurrence]:
    """Yield the runs to come in ``[start, end]``, in order; at most ``each`` of one schedule.

    Of outside jobs that nobody watches also those that were, because nobody keeps them.
    """
    streams = [_of(entry, start, end, each) for entry in entries if entry.schedule.enabled]
    return heapq.merge(*streams, key=lambda one: (one.at, one.entry.id))


def _of(entry: Entry, start: datetime, end: datetime, each: int | None) -> Iterator[Occurrence]:
    lasts, begin = duration_of(entry.schedule), _first_shown(entry)
    if begin is None:
        return iter(())
    after = max(start, begin) - _MILLISECOND
    times = takewhile(lambda at: at <= end, nominals(entry.timing, after))
    return (Occurrence(entry, at, at + lasts) for at in islice(times, each))


def _first_shown(entry: Entry) -> datetime | None:
    """Return when it came or comes first: nobody keeps the runs of jobs that are not watched."""
    schedule = entry.schedule
    if schedule.kind == "outside" and schedule.missed_after_minutes is None:
        return entry.created_at
    return entry.next_at


def past(
    entries: Iterable[Entry], logs: Mapping[str, Sequence[Run]], live: Iterable[LiveRun]
) -> Iterator[Occurrence]:
    """Yield the runs that came due, as far as they are kept, in no order."""
    known = {entry.id: entry for entry in entries}
    for schedule_id, runs in logs.items():
        if schedule_id in known:
            yield from (_over(known[schedule_id], run) for run in runs)
    for run in live:
        if run.schedule_id in known:
            entry = known[run.schedule_id]
            state: State = "running" if run.started_at is not None else "planned"
            yield Occurrence(entry, run.nominal, run.nominal + duration_of(entry.schedule), state)


def _over(entry: Entry, run: Run) -> Occurrence:
    expected = run.nominal + duration_of(entry.schedule)
    carried_out = entry.schedule.kind != "outside" and run.state in ("done", "failed")
    until = run.finished_at if carried_out and run.finished_at is not None else expected
    return Occurrence(entry, run.nominal, max(until, run.nominal), run.state)
