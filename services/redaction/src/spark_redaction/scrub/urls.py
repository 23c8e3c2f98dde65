"""Where an address for a browser begins and ends. Scrubbing and rehydrating must agree on it."""

import re
from bisect import bisect_right
from typing import Final

_URL: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.\-]{1,20}:(?://|\\/\\/)|(?://|\b(?<![@.])www\.)(?=[\w\-]{1,63}\.[A-Za-z]))"
    r"[^\s<>\"'`]*"
)
"""Also where JSON escaped its slashes, and without a scheme, which a page completes."""
_MARKS: Final = ("//", "\\/\\/", "www.")


class Urls:
    """The targets in a text, from left to right."""

    def __init__(self, text: str) -> None:
        there = any(mark in text for mark in _MARKS)
        self._spans = [match.span() for match in _URL.finditer(text)] if there else []
        self._starts = [start for start, _ in self._spans]

    def around(self, start: int, end: int) -> tuple[int, int] | None:
        """The target that a range touches, or continues without a gap."""
        if not self._spans:
            return None
        at = bisect_right(self._starts, max(start, end - 1)) - 1
        if at >= 0 and self._spans[at][1] >= start and self._spans[at][0] < end:
            return self._spans[at]
        return None
