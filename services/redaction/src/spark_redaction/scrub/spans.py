"""Found stretches of a text and how overlapping ones become one."""

from collections.abc import Iterable
from typing import NamedTuple

from spark_redaction.scrub.kinds import Kind


class Span(NamedTuple):
    """Half-open range of code points of the raw text.

    ``key`` says which value it is: two spans of one kind with the same key are the same person
    or number. ``rank`` decides whose kind an overlap gets; higher wins, then the longer one.
    """

    start: int
    end: int
    kind: Kind
    key: str
    rank: int = 50


def united(spans: Iterable[Span]) -> list[Span]:
    """Return spans from left to right without overlaps, covering exactly what was covered."""
    result: list[Span] = []
    winner_length = 0
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if span.end <= span.start:
            continue
        if not result or span.start >= result[-1].end:
            result.append(span)
            winner_length = span.end - span.start
            continue
        last = result[-1]
        end = max(last.end, span.end)
        length = span.end - span.start
        if (span.rank, length) > (last.rank, winner_length):
            winner_length = length
            key = span.key if (span.start, span.end) == (last.start, end) else ""
            result[-1] = Span(last.start, end, span.kind, key, span.rank)
        elif end > last.end:
            # A part of the union is no part of the winner: the value is the union itself.
            result[-1] = Span(last.start, end, last.kind, "", last.rank)
    return result
