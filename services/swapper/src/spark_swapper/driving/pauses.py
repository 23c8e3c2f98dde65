"""How long to wait between two looks at something that is mostly over soon."""

from collections.abc import Iterator
from typing import Final

_FIRST_SHARE: Final = 0.1


def growing(most_seconds: float) -> Iterator[float]:
    """Yield pauses for ever: a tenth of the longest at first, each twice the one before.

    What is over at once is seen at once, and what takes long is not looked at more often.
    """
    pause = most_seconds * _FIRST_SHARE
    while True:
        yield pause
        pause = min(most_seconds, 2 * pause)
