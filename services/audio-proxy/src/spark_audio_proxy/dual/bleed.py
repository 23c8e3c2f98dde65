"""Which words of the local microphone are the remote side coming out of the loudspeaker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from spark_audio_proxy.dual.lag import sound_lag, text_lag
from spark_audio_proxy.dual.levels import Channels, loudness_weights
from spark_audio_proxy.dual.matching import Place, Placed, placed_words
from spark_audio_proxy.dual.rules import DualRules
from spark_audio_proxy.dual.runs import smoothed
from spark_audio_proxy.speech import Word


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A local word that was left out, and why."""

    word: Word
    chance: float
    """How likely it is bleed, 0 to 1."""
    reasons: tuple[str, ...]
    """``match`` or ``covered``; ``neighbours`` when they decided; ``energy`` when it agreed."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What the local side itself says."""

    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]
    lag: float | None
    """Seconds by which bleed follows the remote channel; None when there is no bleed."""


def without_bleed(
    local: Sequence[Word],
    remote: Sequence[Word],
    channels: Channels | None = None,
    rules: DualRules | None = None,
    known_lag: float | None = None,
) -> Cleaned:
    """Return the local words that are the local side's own; both sides sorted by start.

    The text decides and loudness breaks ties, always against this recording's own bleed: a
    loudness that means bleed in one room is speech in another. ``known_lag``: of an echo that was
    taken out of the sound already; what is left of it may be too little to find it by.
    """
    rules = rules or DualRules()
    lag = text_lag(local, remote, rules)
    if lag is None and channels is not None:
        lag = sound_lag(channels.local, channels.remote, rules)
    lag = known_lag if lag is None else lag
    if lag is None:
        return Cleaned(tuple(replace(word, confidence=1.0) for word in local), (), None)
    placed = placed_words(local, remote, lag, rules)
    loud = loudness_weights(local, placed, channels, lag) if channels else [0.0] * len(local)
    loud = [rules.energy * weight for weight in loud]
    own = [_weight(each, rules) + energy for each, energy in zip(placed, loud, strict=True)]
    chances = smoothed(own, _changes(local, rules))
    kept: list[Word] = []
    suppressed: list[Suppressed] = []
    for index, word in enumerate(local):
        if placed[index].place is Place.FREE or chances[index] < rules.drop_from:
            kept.append(replace(word, confidence=round(1.0 - chances[index], 4)))
            continue
        reasons = [placed[index].place.value]
        reasons += ["neighbours"] if own[index] < 0 else []
        reasons += ["energy"] if loud[index] > 0 else []
        suppressed.append(Suppressed(word, round(chances[index], 3), tuple(reasons)))
    return Cleaned(tuple(kept), tuple(suppressed), lag)


def _weight(placed: Placed, rules: DualRules) -> float:
    match placed.place:
        case Place.MATCH:
            return rules.matched
        case Place.COVERED:
            return rules.covered if placed.missing else rules.covered_beside_echo
        case Place.FREE:
            return rules.free


def _changes(words: Sequence[Word], rules: DualRules) -> list[float]:
    """Return how likely each word is of another kind than the one before it."""
    pauses = [max(after.start - before.end, 0.0) for before, after in pairwise(words)]
    return [0.5, *(min(rules.change + rules.change_per_second * each, 0.5) for each in pauses)]
