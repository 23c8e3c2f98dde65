"""What comes and goes: too seldom in a row to be down, too often to be well.

Of the latest looks a mark is kept each, ``x`` for one that was not well. Three misses in a row
settle that it is down; a target that misses every second look never has them.
"""

from typing import Final

LOOKS: Final = 12
MANY: Final = 5
"""Of the latest looks: so many make a target that is well one that comes and goes."""
FEW: Final = 1
"""No more than these of twelve looks, and it is steady again."""
REASON: Final = "flapping"


def with_look(recent: str, *, well: bool) -> str:
    """Return the marks with one more."""
    return (recent + ("." if well else "x"))[-LOOKS:]


def comes_and_goes(recent: str) -> bool:
    """Say whether so many looks were not well that it is not well as a whole."""
    return recent.count("x") >= MANY


def steady(recent: str) -> bool:
    """Say whether what came and went does so no more."""
    return len(recent) == LOOKS and recent.count("x") <= FEW


def told(recent: str, reason: str) -> str:
    """Return the reason that people read; ``reason`` is that of the latest bad look."""
    said = f"{REASON}: {recent.count('x')} of its latest {len(recent)} looks were not well"
    return f"{said}; the latest: {reason}" if reason else said
