"""Moments as whole milliseconds: what sorts in Redis, and what a run is named by."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the moment in UTC."""
    return _EPOCH + ms * _MILLISECOND


def whole(moment: datetime) -> datetime:
    """Return the moment in UTC, cut to its millisecond."""
    return from_ms(to_ms(moment))


def stamp(moment: datetime) -> str:
    """Return it as a part of a name: ``20261127T020000Z``, with milliseconds where it has some."""
    fraction = f"{moment.microsecond // 1000:03d}" if moment.microsecond else ""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}{fraction}Z"


def read(moment: datetime) -> str:
    """Return it as people read it, to the minute: ``27 Nov 02:00 UTC``; in its own zone."""
    return f"{moment.day} {moment:%b %H:%M %Z}".strip()
