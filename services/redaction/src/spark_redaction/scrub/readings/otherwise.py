"""Looks at every other reading of a text, and believes what is new and likely in it."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.readings.breaks import believable, mended
from spark_redaction.scrub.readings.markup import unmarked
from spark_redaction.scrub.readings.misread import NUMBERS, misread
from spark_redaction.scrub.readings.spaced import put_together
from spark_redaction.scrub.readings.turned import meant, overridden, turned
from spark_redaction.scrub.spans import Span, united
from spark_redaction.scrub.view import View

_NAMES: Final = frozenset({Kind.PERSON, Kind.ORG, Kind.PLACE, Kind.OTHER})
_WHOLE: Final = 74
"""Rank of a known name that is not a mere part of one."""
_PROVED: Final = frozenset({Kind.EMAIL, Kind.IBAN, Kind.CARD})
"""These say by themselves where they end."""
_MOST_SEEN: Final = 0.75
"""Share of a broken value that was found without mending it, from which that is all there is."""


def otherwise(
    text: str,
    view: View,
    look: Callable[[View], Iterable[Span]],
    known: Callable[[set[str]], bool] | None,
    found: list[Span],
) -> Iterator[Span]:
    """Yield what only shows in another reading.

    ``look`` finds in a view; ``known`` says whether a name that is looked for begins with one of
    some words; ``found`` is what the text itself shows.
    """
    for reading in (unmarked(text), put_together(view)):
        if reading is not None:
            for span in look(reading.view):
                if reading.across(span.start, span.end):
                    yield span
    reading = misread(text, view)
    for span in look(reading.view) if reading is not None else ():
        if span.kind in NUMBERS and reading is not None and reading.across(span.start, span.end):
            yield span
    yield from _over_breaks(text, look, found)
    for how, turned_view in turned(text, view, known):
        for span in look(turned_view):
            stands = text[span.start : span.end]
            name = span.kind in _NAMES and span.rank >= _WHOLE
            if (overridden(text) and span.kind in _NAMES) or meant(
                span.kind, how(stands), stands, known=name
            ):
                yield span


def _over_breaks(
    text: str, look: Callable[[View], Iterable[Span]], found: list[Span]
) -> Iterator[Span]:
    reading = mended(text)
    if reading is None:
        return
    seen = united(found)
    starts = [span.start for span in seen]
    for span in look(reading.view):
        change = reading.across(span.start, span.end)
        if change is None:
            continue
        left, right = text[span.start : change[0]], text[change[1] : span.end]
        whole = span.kind in _PROVED or not _seen(text, span, seen, starts)
        hyphen = "-" in text[change[0] : change[1]]
        if whole and believable(span.kind, span.rank, left, right, hyphen=hyphen):
            yield span


def _seen(text: str, span: Span, seen: list[Span], starts: list[int]) -> bool:
    """Whether most of a range is hidden anyhow."""
    hidden = 0
    at = max(0, bisect_right(starts, span.start) - 1)
    while at < len(seen) and seen[at].start < span.end:
        begin, end = max(span.start, seen[at].start), min(span.end, seen[at].end)
        hidden += _letters(text[begin:end]) if begin < end else 0
        at += 1
    return hidden >= _MOST_SEEN * _letters(text[span.start : span.end])


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
