"""Cron expressions on the clocks of a zone, nights of DST included, as Debian's cron does it.

cronsim walks the hands of a clock, here without a zone: with one it steps in whole hours, and
misses times where clocks change by half an hour.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

FIELDS = 5
_MINUTE = timedelta(minutes=1)


def moments_of(expression: str, zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """Yield the times of a checked expression after ``start``, in UTC.

    When clocks go back, a fixed time of day comes once, the first time; what comes every hour or
    more often comes in both hours. When they go forward over a fixed time, it comes right after
    the gap, and what comes more often leaves the gap out. Right after a gap a time may be
    repeated; up to two hours after ``start`` some may be missing.
    """
    minute, hour, *_ = expression.split()
    fixed = not minute.startswith("*") and not hour.startswith("*")
    hands = CronSim(expression, start.astimezone(zone).replace(tzinfo=None))
    return _told_by_hands(hands, zone, fixed)


def _told_by_hands(hands: Iterable[datetime], zone: ZoneInfo, fixed: bool) -> Iterator[datetime]:
    again: list[datetime] = []
    """Times of the hour that comes twice, the second time."""
    for wall in hands:
        one, other = _as_utc(wall, zone, 0), _as_utc(wall, zone, 1)
        if again and one > again[0]:
            yield from again
            again = []
        if one <= other:
            yield one
        elif fixed:
            yield _after_gap(wall, zone)
        if one < other and not fixed:
            again.append(other)
    yield from again


def _as_utc(wall: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _after_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    # In a gap the reading before the change is the later one.
    while _as_utc(wall, zone, 0) > _as_utc(wall, zone, 1):
        wall += _MINUTE
    return _as_utc(wall, zone, 0)
