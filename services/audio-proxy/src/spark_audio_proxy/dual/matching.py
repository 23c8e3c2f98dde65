"""How each local word lies to what the remote side says: heard there too, under it, or free."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import accumulate

from spark_audio_proxy.dual.rules import DualRules
from spark_audio_proxy.speech import Word
from spark_audio_proxy.words.joining import letters_of

_ALIKE = 0.75
_LEAST_LETTERS = 4


class Place(StrEnum):
    """What the remote side says while a local word is said."""

    MATCH = "match"
    COVERED = "covered"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Placed:
    """A local word's place, and whether a remote word has no other word that could be its echo."""

    place: Place
    missing: bool = False


def placed_words(
    local: Sequence[Word], remote: Sequence[Word], lag: float, rules: DualRules
) -> list[Placed]:
    """Return the place of each local word; both sides sorted by start.

    A remote word is heard again once at most, so of several equal words the closest is its echo.
    """
    starts = [word.start for word in remote]
    reached = list(accumulate((word.end for word in remote), max))
    echoes = _echoes(local, remote, starts, lag, rules)
    heard_again = set(echoes.values())
    placed: list[Placed] = []
    for index, word in enumerate(local):
        if index in echoes:
            placed.append(Placed(Place.MATCH))
            continue
        first = bisect_left(reached, word.start - lag - rules.cover_seconds)
        if first == len(remote) or starts[first] >= word.end - lag + rules.cover_seconds:
            placed.append(Placed(Place.FREE))
            continue
        near = _within(starts, word.start - lag, rules.match_seconds)
        placed.append(Placed(Place.COVERED, any(other not in heard_again for other in near)))
    return placed


def _echoes(
    local: Sequence[Word],
    remote: Sequence[Word],
    starts: Sequence[float],
    lag: float,
    rules: DualRules,
) -> dict[int, int]:
    """Return which local word is the echo of which remote word, by index."""
    offers = []
    for index, word in enumerate(local):
        for other in _within(starts, word.start - lag, rules.match_seconds):
            if alike(word.text, remote[other].text):
                differs = letters_of(word.text) != letters_of(remote[other].text)
                offers.append((differs, abs(word.start - lag - starts[other]), index, other))
    echoes: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, index, other in sorted(offers):
        if index not in echoes and other not in taken:
            echoes[index] = other
            taken.add(other)
    return echoes


def _within(starts: Sequence[float], at: float, seconds: float) -> range:
    return range(bisect_left(starts, at - seconds), bisect_right(starts, at + seconds))


def alike(one: str, other: str) -> bool:
    """Whether two words are the same, or so alike that one may be the other misheard."""
    first, second = letters_of(one), letters_of(other)
    if first == second:
        return True
    if min(len(first), len(second)) < _LEAST_LETTERS:
        return False
    # Cheap bounds first: the ratio itself is slow.
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return matcher.quick_ratio() > _ALIKE and matcher.ratio() > _ALIKE
