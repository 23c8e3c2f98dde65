"""A text as the recognisers see it, with the way back to every raw character."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from spark_redaction.scrub.folding import FOLDS, OCTETS

MARKS: Final = r"\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u1000-\u109f\u1780-\u17d3"
_OTHER_SCRIPT: Final = re.compile(
    r"[\u0370-\u1dff\u2c00-\ud7ff\uf900-\uffef]|[\U00010000-\U0003ffff]"
)
_APART: Final = {point: " " for point in range(128) if not chr(point).isalnum()}
WORD: Final = re.compile(rf"[^\W_]+(?:[{MARKS}]+[^\W_]*)*")
"""A word; the vowel signs of Indic scripts are no letters to Python, but they are to a name."""


class View:
    """Folded text beside a map to the raw one.

    ``text`` keeps case, ``lower`` does not, ``octets`` has one byte for each character of ``text``
    so that RE2 reads bytes and its offsets are ours.
    """

    def __init__(
        self,
        text: str,
        starts: Sequence[int] | None = None,
        ends: Sequence[int] | None = None,
    ) -> None:
        self.text = text
        self._starts = starts
        self._ends = ends

    @cached_property
    def lower(self) -> str:
        """``text`` in lower case, of the same length."""
        low = self.text.lower()
        if len(low) != len(self.text):
            low = "".join(c if len(c.lower()) != 1 else c.lower() for c in self.text)
        return low

    @cached_property
    def octets(self) -> bytes:
        """``text`` in one byte a character."""
        if self.text.isascii():
            return self.text.encode("ascii")
        return self.text.translate(OCTETS).encode("latin-1")

    @cached_property
    def low_octets(self) -> bytes:
        """``octets`` in lower case."""
        return self.octets.lower()

    @cached_property
    def has_digits(self) -> bool:
        """Whether any recogniser of numbers has something to do."""
        return self.octets.translate(None, b"0123456789") != self.octets

    @cached_property
    def has_keys(self) -> bool:
        """Whether there may be keys of JSON."""
        return '":' in self.text

    @cached_property
    def cased(self) -> bool:
        """Whether the writer uses capitals; a transcript may have none."""
        return not self.text.islower()

    @cached_property
    def other_scripts(self) -> bool:
        """Whether there are letters that are not Latin."""
        return not self.text.isascii() and _OTHER_SCRIPT.search(self.text) is not None

    @cached_property
    def words(self) -> set[str]:
        """Every different word, in lower case."""
        if self.text.isascii():
            return set(self.lower.translate(_APART).split())
        return set(WORD.findall(self.lower))

    def raw(self, start: int, end: int) -> tuple[int, int]:
        """Return the raw range of a non-empty range of this view."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]


def folded_view(text: str) -> View:
    """Return the view of a raw text."""
    if text.isascii():
        return View(text)
    if all(len(FOLDS[ord(character)]) == 1 for character in set(text)):
        return View(text.translate(FOLDS))
    ends = range(1, len(text) + 1)
    return mapped_view(text, range(len(text)), ends)


def mapped_view(text: str, starts: Sequence[int], ends: Sequence[int]) -> View:
    """Return the view of a text whose characters already stand for ranges of another one."""
    if text.isascii():
        return View(text, starts, ends)
    characters: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    for at, character in enumerate(text):
        fold = FOLDS[ord(character)]
        if fold:
            characters.append(fold)
            for _ in fold:
                new_starts.append(starts[at])
                new_ends.append(ends[at])
        elif new_ends and character.isprintable():
            # A mark belongs to its letter; taking the one without the other leaves half of it.
            new_ends[-1] = ends[at]
    return View("".join(characters), new_starts, new_ends)
