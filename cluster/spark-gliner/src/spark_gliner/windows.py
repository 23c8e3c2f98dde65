"""Cuts a text into windows that a model reads whole; they overlap, so that no name is cut."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from spark_gliner.ports import Entity

_WORD: Final = re.compile(r"\w+(?:[-_]\w+)*|\S")
"""As GLiNER counts: a word, or a sign between words."""


class Window(NamedTuple):
    """Where it begins in the text, and the text of it."""

    start: int
    text: str


def windows(text: str, words: int, overlap: int) -> list[Window]:
    """Return windows of so many words each, sharing ``overlap``; none of a text without words."""
    return list(_windows(text, words, overlap))


def _windows(text: str, words: int, overlap: int) -> Iterator[Window]:
    places = [match.span() for match in _WORD.finditer(text)]
    for first in range(0, len(places), words - overlap):
        part = places[first : first + words]
        start = part[0][0]
        yield Window(start, text[start : part[-1][1]])
        if first + words >= len(places):
            return


def joined(parts: Iterable[tuple[Window, Sequence[Entity]]]) -> list[Entity]:
    """Return the entities of a whole text in order; one that two windows saw is there once."""
    best: dict[tuple[int, int, str], Entity] = {}
    for window, entities in parts:
        for each in entities:
            start, end = each.start + window.start, each.end + window.start
            known = best.get((start, end, each.label))
            if known is None or known.score < each.score:
                best[start, end, each.label] = Entity(start, end, each.label, each.score)
    return sorted(best.values(), key=lambda each: (each.start, each.end, each.label))
