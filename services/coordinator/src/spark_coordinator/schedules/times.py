"""When a schedule comes due: its nominal times, the same from wherever one starts to look."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from spark_common.contracts.schedules import PutSchedule
from spark_coordinator.schedules.cron import moments_of
from spark_coordinator.schedules.moments import from_ms, to_ms, whole

_LEAD = timedelta(hours=3)
"""Longer than any jump of a clock on a night of DST: a cron expression is read from before it."""
_MILLISECOND = timedelta(milliseconds=1)
_LOOKBACKS = tuple(timedelta(days=days) for days in (1 / 24, 1, 32, 367, 5 * 366))


@dataclass(frozen=True)
class Timing:
    """One of three kinds of times, and the span in which it counts. All moments in UTC."""

    cron: str | None = None
    zone: str = "UTC"
    every_ms: int | None = None
    anchor: datetime | None = None
    """The interval's first time."""
    at: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None


def timing_of(schedule: PutSchedule, registered_at: datetime) -> Timing:
    """Return the times of a checked schedule; an interval counts from its registration."""
    zone = ZoneInfo(schedule.timezone)
    starts, ends, at = (
        None if moment is None else in_zone(moment, zone)
        for moment in (schedule.starts_at, schedule.ends_at, schedule.at)
    )
    every_ms, anchor = None, None
    if schedule.every_seconds is not None:
        every_ms = round(schedule.every_seconds * 1000)
        anchor = starts or whole(registered_at) + every_ms * _MILLISECOND
    return Timing(schedule.cron, schedule.timezone, every_ms, anchor, at, starts, ends)


def in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a moment in UTC; without an offset it is a time on the clocks of ``zone``."""
    return whole(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def nominals(timing: Timing, after: datetime) -> Iterator[datetime]:
    """Yield the nominal times later than ``after``, in order, each once, in UTC."""
    if timing.starts is not None:
        after = max(after, timing.starts - _MILLISECOND)
    for moment in _unbounded(timing, after):
        if timing.ends is not None and moment > timing.ends:
            return
        yield moment


def first(timing: Timing, after: datetime) -> datetime | None:
    """Return the next nominal time, None when there is none."""
    return next(nominals(timing, after), None)


def come_due(timing: Timing, next_at: datetime, now: datetime, most: int) -> list[datetime]:
    """Return the times that have come by ``now``, ``next_at`` and what followed it, in order.

    At least one and at most ``most``, the latest ones. ``next_at`` counts although the definition
    may have changed so that it would not come any more.
    """
    return [next_at, *between(timing, next_at, now, most)][-most:]


def between(timing: Timing, after: datetime, until: datetime, most: int) -> list[datetime]:
    """Return the latest nominal times in ``(after, until]``, in order, at most ``most``.

    However long ago ``after`` is, only about as much is looked through as is returned.
    """
    found: list[datetime] = []
    for lookback in (*_LOOKBACKS, None):
        since = after if lookback is None else max(after, until - lookback)
        found = []
        for moment in nominals(timing, since):
            if moment > until:
                break
            found.append(moment)
        if since == after or len(found) >= most:
            break
    return found[-most:]


def _unbounded(timing: Timing, after: datetime) -> Iterator[datetime]:
    if timing.cron is not None:
        yield from _of_cron(timing.cron, ZoneInfo(timing.zone), after)
    elif timing.every_ms is not None and timing.anchor is not None:
        yield from _of_interval(to_ms(timing.anchor), timing.every_ms, to_ms(after))
    elif timing.at is not None and timing.at > after:
        yield timing.at


def _of_cron(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    latest = after
    for moment in moments_of(expression, zone, after - _LEAD):
        if moment > latest:
            latest = moment
            yield moment


def _of_interval(anchor: int, every: int, after: int) -> Iterator[datetime]:
    number = max(0, (after - anchor) // every + 1)
    while True:
        yield from_ms(anchor + number * every)
        number += 1
