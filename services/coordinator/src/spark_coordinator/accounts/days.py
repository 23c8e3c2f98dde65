"""Days as the accounts count them: UTC, from midnight to midnight."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

KEPT_DAYS = 400
_LONGEST_SECONDS = KEPT_DAYS * 86400.0


def day_of(moment: float) -> date:
    """Return the day of a moment in epoch seconds; of one before 1970, the first day of that."""
    return datetime.fromtimestamp(max(0.0, moment), UTC).date()


def start_of(day: date) -> float:
    """Return the epoch second at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def pieces(start: float, end: float) -> Iterator[tuple[date, float]]:
    """Yield the days of an interval and the seconds on each; nothing when it runs backwards."""
    start = max(0.0, start, end - _LONGEST_SECONDS)
    while start < end:
        day = day_of(start)
        midnight = start_of(day + timedelta(days=1))
        until = min(end, midnight)
        yield day, until - start
        start = until
