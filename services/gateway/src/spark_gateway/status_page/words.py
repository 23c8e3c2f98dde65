"""Durations, sizes and moments as people read them on paper."""

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
GAP: Final = "\u00a0"
UNKNOWN: Final = "\u2013"


def span(seconds: float) -> str:
    """``48 s``, ``1 min 20 s``, ``12 d 4 h``."""
    whole = max(0, round(seconds))
    for place, (size, word) in enumerate(_UNITS):
        if whole < size:
            continue
        head = f"{whole // size}{GAP}{word}"
        if place + 1 == len(_UNITS):
            return head
        smaller, unit = _UNITS[place + 1]
        rest = whole % size // smaller
        return f"{head} {rest}{GAP}{unit}" if rest else head
    return f"0{GAP}s"


def since(moment: datetime | None, now: datetime) -> str:
    """``for 3 h 2 min``; nothing where it is not known."""
    return f"for {span((now - moment).total_seconds())}" if moment is not None else ""


def memory(size: int) -> str:
    """In the unit in which vLLM and nvidia-smi count."""
    return f"{size / 2**30:.1f}{GAP}GB"


def disk(size: int) -> str:
    """In decimal units."""
    return f"{size / 1e12:.2f}{GAP}TB" if size >= 1e12 else f"{size / 1e9:.1f}{GAP}GB"


def percent(share: float | None) -> str:
    """An uptime; a dash where nobody watched."""
    if share is None:
        return UNKNOWN
    return f"100{GAP}%" if share >= 99.995 else f"{min(share, 99.99):.2f}{GAP}%"


def listed(names: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    bare = text.strip()
    if not bare:
        return ""
    return bare[0].upper() + bare[1:] + ("" if bare[-1] in ".!?…" else ".")


def utc(moment: datetime) -> str:
    """``2026-11-02 08:15:00 UTC``: a page on paper has no zone of its own."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
