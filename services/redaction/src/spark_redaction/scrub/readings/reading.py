"""A text with pieces taken out or put otherwise, and where that was done."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spark_redaction.scrub.nearby import STOP
from spark_redaction.scrub.view import View, mapped_view

BETWEEN: Final = f"\n{STOP}\n"
"""Stands between stretches of a text that do not belong together."""


@dataclass(frozen=True)
class Reading:
    """A view, and the raw ranges where it differs from the text, from left to right.

    What it shows elsewhere was seen before; only what reaches across one of them is new.
    """

    view: View
    changes: tuple[tuple[int, int], ...]

    def across(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the first change inside a raw range, None when there is none."""
        at = bisect_left(self.changes, (start, -1))
        if at < len(self.changes) and self.changes[at][0] < end:
            return self.changes[at]
        before = bisect_right(self.changes, (start, -1)) - 1
        if before >= 0 and self.changes[before][1] > start:
            return self.changes[before]
        return None


def kept(text: str, stretches: Iterable[list[tuple[int, int]]]) -> View:
    """Return the view of pieces of a text: those of one stretch touch, stretches do not."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for stretch in stretches:
        if characters and stretch:
            characters.append(BETWEEN)
            starts += [ends[-1]] * len(BETWEEN)
            ends += [ends[-1]] * len(BETWEEN)
        for begin, end in stretch:
            characters.append(text[begin:end])
            starts += range(begin, end)
            ends += range(begin + 1, end + 1)
    return mapped_view("".join(characters), starts, ends)
