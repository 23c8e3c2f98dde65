"""By how much the microphone hears the remote side later: from words, and from sound."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.dual.rules import DualRules
from spark_audio_proxy.loudness import Loudness
from spark_audio_proxy.speech import Word
from spark_audio_proxy.words.joining import letters_of

_WINDOW = 0.12
"""Lags that lie within this are one lag."""
_LEAST_WORDS = 3
"""So many words must agree on a lag."""
_OVER_CHANCE = 3.0
"""And so many more for each that chance puts there."""
_BLOCK_SECONDS = 20.0
_LEAST_SECONDS = 5.0
_LEAST_PEAK = 1.3
"""The highest peak over the second one, for a lag from sound to be believed."""
_LEAST_HEIGHT = 6.0
"""And over the standard deviation of all lags: without bleed it stays under 2."""


def text_lag(local: Sequence[Word], remote: Sequence[Word], rules: DualRules) -> float | None:
    """Return the lag at which most words of the remote side are heard again, in seconds.

    None when equal words lie no closer together than chance puts them.
    """
    lags = np.sort(np.array(_lags(local, remote, rules)))
    if len(lags) < _LEAST_WORDS:
        return None
    reach = np.searchsorted(lags, lags + _WINDOW, side="right") - np.arange(len(lags))
    first = int(np.argmax(reach))
    together = lags[first : first + int(reach[first])]
    span = rules.latest_lag - rules.earliest_lag
    by_chance = (len(lags) - len(together)) * _WINDOW / max(span - _WINDOW, _WINDOW)
    if len(together) < _LEAST_WORDS + _OVER_CHANCE * by_chance:
        return None
    return float(np.median(together))


def _lags(local: Sequence[Word], remote: Sequence[Word], rules: DualRules) -> list[float]:
    by_text: dict[str, list[float]] = {}
    for word in remote:
        by_text.setdefault(letters_of(word.text), []).append(word.start)
    for starts in by_text.values():
        starts.sort()
    found = []
    for word in local:
        starts = by_text.get(letters_of(word.text), [])
        place = bisect_left(starts, word.start - rules.latest_lag)
        while place < len(starts) and starts[place] <= word.start - rules.earliest_lag:
            found.append(word.start - starts[place])
            place += 1
    return found


def sound_lag(local: Loudness, remote: Loudness, rules: DualRules) -> float | None:
    """Return the lag at which the microphone's loudness follows the remote side's, in seconds.

    Generalised cross-correlation with phase transform, over the blocks in which the remote side
    speaks. None when no lag stands out.
    """
    width = local.frame_seconds
    count = min(len(local.powers), len(remote.powers))
    if width != remote.frame_seconds or count * width < _LEAST_SECONDS:
        return None
    block = round(_BLOCK_SECONDS / width)
    spectrum = np.zeros(block + 1, dtype=np.complex128)
    floor = float(np.mean(remote.powers[:count])) / 10
    for start in range(0, count, block):
        end = min(start + block, count)
        if float(np.mean(remote.powers[start:end])) > floor:
            heard = np.fft.rfft(_envelope(local.powers[start:end]), 2 * block)
            sent = np.fft.rfft(_envelope(remote.powers[start:end]), 2 * block)
            spectrum += heard * np.conj(sent)
    size = np.abs(spectrum)
    if not size.any():
        return None
    whitened = np.fft.irfft(spectrum / np.maximum(size, 1e-3 * size.max()))
    lags = np.arange(round(rules.earliest_lag / width), round(rules.latest_lag / width) + 1)
    heights = whitened[lags]
    best = int(np.argmax(heights))
    others = heights[np.abs(lags - lags[best]) > round(_WINDOW / 2 / width)]
    least = max(_LEAST_PEAK * float(others.max(initial=0.0)), _LEAST_HEIGHT * whitened.std())
    if heights[best] <= least:
        return None
    return float(lags[best] * width)


def _envelope(powers: NDArray[np.float32]) -> NDArray[np.float64]:
    levels = np.log10(powers.astype(np.float64) + 1e-7)
    centred: NDArray[np.float64] = levels - levels.mean()
    return centred
