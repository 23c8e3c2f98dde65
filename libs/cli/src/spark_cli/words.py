"""Numbers as a person reads them; the same words as on the dashboard."""

from collections.abc import Sequence
from datetime import datetime

_GIGABYTE = 1_000_000_000
_MINUTE = 60
_HOUR = 3600
_DAY = 86400


def gigabytes(size_bytes: int | None) -> str:
    """Return decimal gigabytes with one digit: ``63.4 GB``."""
    return "-" if size_bytes is None else f"{size_bytes / _GIGABYTE:.1f} GB"


def duration(seconds: float | None) -> str:
    """Return ``1 min 20 s``, ``3 h 40 min``, or a dash when nobody knows."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def ago(moment: datetime, now: datetime) -> str:
    """Return ``3 min ago``, ``5 h ago``, ``4 days ago``; a clock that is ahead counts as now."""
    seconds = (now - moment).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < 2 * _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    return f"{int(seconds // _DAY)} days ago"


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return left-aligned columns, two blanks apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
