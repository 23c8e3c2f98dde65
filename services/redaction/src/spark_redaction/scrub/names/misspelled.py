"""Known names as they are mistyped: two letters in the wrong order, one too many, one too few.

A mistyped name is hidden as itself and attributed to nobody: it may be another person's.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from spark_redaction.scrub.names.common import COMMON

_SHORTEST: Final = 5
_SHORTEST_SWAPPED: Final = 6
"""Brain is Brian with two letters swapped."""
_LONGEST: Final = 20
_SHORTEST_BESIDE: Final = 4


class Misspelled:
    """The words of names, to be found when letters of theirs are swapped, doubled or not doubled."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, name: str) -> None:
        """Remember one word of a name, folded."""
        if _SHORTEST <= len(name) <= _LONGEST and name.isalpha() and name not in COMMON:
            self._names.setdefault(_letters(name), []).append(name)

    def among(self, words: Iterable[str]) -> Iterator[str]:
        """Yield the words that are a name with its letters swapped, doubled or not doubled."""
        for word in words:
            if not _SHORTEST - 1 <= len(word) <= _LONGEST + 1 or word in COMMON:
                continue
            for name in self._names.get(_letters(word), ()):
                if _slipped(word, name):
                    yield word
                    break


def nearly(word: str, name: str) -> bool:
    """Whether one edit makes a word a name; enough where the rest of the name stands beside it."""
    if min(len(word), len(name)) < _SHORTEST_BESIDE or abs(len(word) - len(name)) > 1:
        return False
    start = _common(word, name)
    end = _common(word[start:][::-1], name[start:][::-1])
    left, right = word[start : len(word) - end], name[start : len(name) - end]
    return max(len(left), len(right)) <= 1 or (left == right[::-1] and len(left) == 2)


def _letters(word: str) -> str:
    """What stays the same when letters are swapped, doubled or not doubled."""
    return word[:1] + "".join(sorted(set(word[1:])))


def _slipped(word: str, name: str) -> bool:
    if word == name or abs(len(word) - len(name)) > 1:
        return False
    start = _common(word, name)
    if len(word) == len(name):
        if len(word) < _SHORTEST_SWAPPED:
            return False
        swapped = name[:start] + name[start : start + 2][::-1] + name[start + 2 :]
        return word == swapped
    longer, shorter = (word, name) if len(word) > len(name) else (name, word)
    doubled = start > 0 and longer[start] == longer[start - 1]
    return doubled and longer[:start] + longer[start + 1 :] == shorter


def _common(one: str, other: str) -> int:
    """How many letters both begin with."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length
