"""What loudness says of a local word: like this recording's bleed, or like its speech."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.dual.matching import Place, Placed
from spark_audio_proxy.loudness import Loudness
from spark_audio_proxy.speech import Word

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_TELLING_DB = 3.0
"""Bleed and clean speech must differ by this before their loudness says anything at all."""
_CLEAR_DB = 10.0
"""And by this before it says all it can."""
_SILENCE = 1e-9
_LEAST_WORDS = 3
_SPREADS = 3.0
"""A word is louder than its bleed when it is so many times the usual spread above it."""
_EXCESS_DB = 6.0
"""From so much more on nobody can take it for bleed."""
_EXCESS_COUNTS = 2.0
"""Bleed can be anything but louder than itself, so this weighs more than all else loudness says."""


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """Loudness of both sides, where there is sound to measure."""

    local: Loudness
    remote: Loudness


def loudness_weights(
    words: Sequence[Word], placed: Sequence[Placed], channels: Channels, lag: float
) -> list[float]:
    """Return -2 (speech) to 1 (bleed) per word, 0 where loudness tells nothing.

    Measured against the words of this very recording: what is bleed in one room is speech in
    another.
    """
    starts = np.array([word.start for word in words])
    ends = np.array([word.end for word in words])
    levels = _levels(channels.local, starts, ends)
    matched = np.array([each.place is Place.MATCH for each in placed], dtype=np.bool_)
    free = np.array([each.place is Place.FREE for each in placed], dtype=np.bool_)
    if matched.sum() < _LEAST_WORDS:
        return [0.0] * len(words)
    sent = _levels(channels.remote, starts - lag, ends - lag)
    weights = _by_level(levels, matched, free) + _by_excess(levels, sent, matched)
    found: list[float] = np.clip(weights, -_EXCESS_COUNTS, 1.0).tolist()
    return found


def _by_level(
    levels: Floats,
    matched: Flags,
    free: Flags,
) -> Floats:
    """Weigh each word between the usual levels of bleed and of clean speech."""
    if free.sum() < _LEAST_WORDS:
        return np.zeros(len(levels))
    low, high = np.median(levels[matched]), np.median(levels[free])
    trust = min(max((abs(high - low) - _TELLING_DB) / (_CLEAR_DB - _TELLING_DB), 0.0), 1.0)
    if not trust:
        return np.zeros(len(levels))
    between: Floats = np.clip(1.0 - 2.0 * (levels - low) / (high - low), -1.0, 1.0)
    return trust * between


def _by_excess(levels: Floats, sent: Floats, matched: Flags) -> Floats:
    """Weigh what is louder than the remote side at that moment makes its bleed: speech over it."""
    gains = levels - sent
    usual = np.median(gains[matched])
    spread = 1.4826 * np.median(np.abs(gains[matched] - usual))
    least = max(_SPREADS * spread, _TELLING_DB / 2)
    above: Floats = np.clip((gains - usual - least) / _EXCESS_DB, 0.0, 1.0)
    return -_EXCESS_COUNTS * above


def _levels(loudness: Loudness, starts: Floats, ends: Floats) -> Floats:
    """Return the mean level of each span in dB; what lies outside of the recording is silent."""
    sums = np.concatenate(([0.0], np.cumsum(loudness.powers, dtype=np.float64)))
    last = len(loudness.powers)
    first = np.clip(np.rint(starts / loudness.frame_seconds), 0, last).astype(np.int64)
    past = np.clip(np.rint(ends / loudness.frame_seconds), 0, last).astype(np.int64)
    past = np.minimum(np.maximum(past, first + 1), last)
    powers = (sums[past] - sums[first]) / np.maximum(past - first, 1)
    levels: Floats = 10 * np.log10(np.maximum(powers, 0.0) + _SILENCE)
    return levels
