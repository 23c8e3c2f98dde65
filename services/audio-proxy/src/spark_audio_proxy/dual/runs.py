"""Bleed and speech come in runs: what is known of one word tells something of the next."""

from collections.abc import Sequence
from math import exp

_SURE = 30.0


def smoothed(log_odds: Sequence[float], changes: Sequence[float]) -> list[float]:
    """Return the probability of each word given all of them, forwards and backwards.

    ``log_odds`` is what speaks for each word by itself; ``changes`` is how likely a word differs
    in kind from the one before it (the first value means nothing).
    """
    odds = [exp(min(max(value, -_SURE), _SURE)) for value in log_odds]
    forward = _passed(odds, list(changes))
    # What a word learns from behind: the same walk from the end, without the word's own odds.
    behind = _passed(odds[::-1], [0.5, *list(changes)[:0:-1]])[::-1]
    found = []
    for index, one in enumerate(forward):
        other = 1.0
        if index + 1 < len(odds):
            chance = _moved(behind[index + 1], changes[index + 1])
            other = chance / (1.0 - chance)
        both = one / (1.0 - one) * other
        found.append(both / (1.0 + both))
    return found


def _passed(odds: Sequence[float], changes: Sequence[float]) -> list[float]:
    chance = 0.5
    found = []
    for index, value in enumerate(odds):
        if index:
            chance = _moved(chance, changes[index])
        weighed = chance * value
        # Never quite certain, so that it can be divided by.
        chance = min(max(weighed / (weighed + 1.0 - chance), 1e-12), 1.0 - 1e-12)
        found.append(chance)
    return found


def _moved(chance: float, change: float) -> float:
    return chance * (1.0 - change) + (1.0 - chance) * change
