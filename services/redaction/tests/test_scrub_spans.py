"""Overlapping finds become one: which kind it gets, which value it is, and nothing is left out."""

import pytest

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.spans import Span, united

P, E, N = Kind.PERSON, Kind.EMAIL, Kind.NUMBER


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([Span(3, 3, P, "x"), Span(5, 4, P, "x")], []),
        # Neighbours stay two.
        ([Span(4, 8, E, "b"), Span(0, 4, P, "a")], [Span(0, 4, P, "a"), Span(4, 8, E, "b")]),
        # Alike in rank, the longer one wins, wherever it begins.
        ([Span(0, 4, P, "a"), Span(3, 9, E, "b")], [Span(0, 9, E, "")]),
        ([Span(0, 6, P, "a"), Span(5, 9, E, "b")], [Span(0, 9, P, "")]),
        # Alike in length as well, the first one does.
        ([Span(10, 14, P, "a"), Span(12, 16, E, "b")], [Span(10, 16, P, "")]),
        # A higher rank wins however short it is, and its value is the union's, which nobody named.
        ([Span(0, 9, P, "a", 50), Span(2, 4, E, "b", 60)], [Span(0, 9, E, "", 60)]),
        ([Span(0, 9, P, "a", 50), Span(2, 4, E, "b", 40)], [Span(0, 9, P, "a", 50)]),
        # The same place: the winner keeps its value.
        ([Span(2, 7, P, "a", 50), Span(2, 7, E, "b", 60)], [Span(2, 7, E, "b", 60)]),
        # The length that counts is the winner's own, not that of the union.
        (
            [Span(0, 4, P, "a"), Span(3, 9, E, "b"), Span(8, 15, N, "c")],
            [Span(0, 15, N, "")],
        ),
        (
            [Span(0, 8, P, "a"), Span(7, 12, E, "b"), Span(11, 18, N, "c")],
            [Span(0, 18, P, "")],
        ),
    ],
)
def test_overlaps_become_one(spans: list[Span], expected: list[Span]) -> None:
    assert united(spans) == expected
    assert united(reversed(spans)) == expected
