"""The calendar: what was, from the logs, and what comes, from the definitions, in order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from spark_common.contracts.schedules import Calendar, CalendarEntry, Conflict, GetCalendar, Run
from spark_common.errors import InvalidRequestError
from spark_coordinator.schedules import conflicts
from spark_coordinator.schedules.conflicts import StandingLease
from spark_coordinator.schedules.occurrences import Occurrence, past, to_come
from spark_coordinator.schedules.record import Entry, LiveRun

MOST_DAYS = 62
MOST_ENTRIES = 1000
REPLY_BYTES = 700_000
"""What a reply may have: the bus carries a megabyte."""


def checked_span(request: GetCalendar) -> tuple[datetime, datetime]:
    """Return start and end in UTC; raises InvalidRequestError."""
    start, end = _utc(request.start), _utc(request.end)
    if end <= start:
        raise InvalidRequestError("the end of the calendar has to be later than its start")
    if end - start > timedelta(days=MOST_DAYS):
        raise InvalidRequestError(f"a calendar shows at most {MOST_DAYS} days at once")
    return start, end


def calendar(
    start: datetime,
    end: datetime,
    now: datetime,
    entries: Sequence[Entry],
    logs: Mapping[str, Sequence[Run]],
    live: Iterable[LiveRun],
    lease: StandingLease | None,
) -> Calendar:
    """Return everything between two moments; ``cut`` when the end of it had to be left out."""
    runs, cut = _runs(start, end, entries, logs, live)
    found = conflicts.found(runs, now, lease)
    told: list[CalendarEntry] = []
    size = 0
    for run, conflicting in zip(runs, found, strict=True):
        entry = _entry(run, conflicting)
        size += len(entry.model_dump_json().encode())
        if size > REPLY_BYTES:
            cut = True
            break
        told.append(entry)
    return Calendar(
        start=start,
        end=end,
        entries=told,
        lease_until=lease.until if lease is not None else None,
        lease_holder=lease.holder if lease is not None else None,
        cut=cut,
    )


def _runs(
    start: datetime,
    end: datetime,
    entries: Sequence[Entry],
    logs: Mapping[str, Sequence[Run]],
    live: Iterable[LiveRun],
) -> tuple[list[Occurrence], bool]:
    known = {
        (run.entry.id, run.at): run
        for run in past(entries, logs, live)
        if run.at <= end and run.until >= start
    }
    # One more than is told, so that it is known whether that is all.
    upcoming = islice(to_come(entries, start, end), MOST_ENTRIES + 1)
    runs = [*known.values(), *(run for run in upcoming if (run.entry.id, run.at) not in known)]
    runs.sort(key=lambda run: (run.at, run.entry.id))
    return runs[:MOST_ENTRIES], len(runs) > MOST_ENTRIES


def _entry(run: Occurrence, conflicting: list[Conflict]) -> CalendarEntry:
    schedule = run.entry.schedule
    return CalendarEntry(
        schedule_id=run.entry.id,
        name=run.entry.name,
        kind=schedule.kind,
        at=run.at,
        until=run.until,
        model=schedule.model,
        owner=schedule.owner,
        state=run.state,
        conflicts=conflicting,
    )


def _utc(moment: datetime) -> datetime:
    try:
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidRequestError("start and end have to be moments near our time") from None
