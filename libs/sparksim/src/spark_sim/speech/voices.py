"""How a voice is told from another one: numbers like those of TitaNet, one direction for each band.

Little speech gives an uncertain print, and all voices have something in common.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

NUMBERS = 192
_COMMON = 0.15
"""Cosine of two different voices."""
_NOISE = 1.0
"""Of one second of speech; after four seconds it is half as much."""
_LEAST_SECONDS = 0.5

Print = npt.NDArray[np.float64]


def print_of(seconds: Mapping[int, float], seed: int) -> Print | None:
    """Return the print of speech, so much of it in each band; None where it is too little.

    ``seed`` is of the recording: the same one always gives the same print.
    """
    whole = sum(seconds.values())
    if whole < _LEAST_SECONDS:
        return None
    chance = np.random.default_rng([seed, *sorted(seconds)])
    noise = chance.standard_normal(NUMBERS) / np.sqrt(NUMBERS)
    voice = sum((share / whole * voice_of(band) for band, share in seconds.items()), np.zeros(1))
    return _unit(voice + _NOISE / np.sqrt(whole) * noise)


@cache
def voice_of(band: int) -> Print:
    """Return what the prints of a band scatter around."""
    common = _unit(np.random.default_rng(0).standard_normal(NUMBERS))
    own = np.random.default_rng(band + 1).standard_normal(NUMBERS)
    own = _unit(own - own @ common * common)
    return _unit(np.sqrt(_COMMON) * common + np.sqrt(1 - _COMMON) * own)


def _unit(numbers: Print) -> Print:
    return numbers / np.linalg.norm(numbers)
