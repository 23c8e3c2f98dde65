"""How long a swap still takes: learned or measured, never guessed."""

from collections.abc import Sequence
from statistics import median

_ENOUGH_PERCENT = 10.0
"""Below this the rate of a load says nothing yet."""


def usual(durations: Sequence[float]) -> float | None:
    """Return the median of earlier durations in seconds; None before the first."""
    return round(median(durations), 1) if durations else None


def remaining(
    *,
    usual_seconds: float | None,
    elapsed_seconds: float,
    percent: float | None = None,
    percent_seconds: float = 0.0,
) -> float | None:
    """Return the seconds that remain, or None when nothing is known.

    ``percent_seconds`` is how long the weights have been loading. The running load corrects
    what earlier ones taught: when its weights alone need longer, that counts.
    """
    learned = None
    if usual_seconds is not None and elapsed_seconds < usual_seconds:
        learned = usual_seconds - elapsed_seconds
    measured = None
    if percent is not None and _ENOUGH_PERCENT <= percent < 100 and percent_seconds > 0:
        measured = percent_seconds * (100 - percent) / percent
    known = [seconds for seconds in (learned, measured) if seconds is not None]
    return round(max(known), 1) if known else None
