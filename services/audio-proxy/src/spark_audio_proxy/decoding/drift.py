"""How much faster one clock runs than another: found where one channel is heard in the other. Pure.

A microphone and a loudspeaker with clocks of their own part by up to some 100 parts in a million:
a tenth of a sample in every block of the echo filter, which is too fast for it to follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.decoding.sound import RATE

WINDOW: Final = RATE
"""Samples of both channels that are compared at a time."""
MOST_SIGHTS: Final = 32
_MOST: Final = 300e-6
_LEAST: Final = 1e-6
"""Less does no harm: the filter follows it."""
_LEAST_SIGHTS: Final = 6
_EARLIEST: Final = -RATE // 5
_LATEST: Final = RATE
_COARSE_HERTZ: Final = 800.0
_FINE_HERTZ: Final = 4000.0
_FINE_BINS: Final = 1024
_PARTS_OF_A_TURN: Final = 0.2
"""Between two drifts that are tried the last sight turns by so much at the highest pitch."""
_STANDS_OUT: Final = 5.0
"""The best drift explains so many standard deviations more than the others."""

Floats = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Sight:
    """The way from the loudspeaker to the microphone, as one moment shows it."""

    at: float
    """Seconds into the recording."""
    way: Spectrum


def sight_of(heard: Floats, sent: Floats, at: float) -> Sight | None:
    """Return the way in ``WINDOW`` samples of both; None where there is nothing to see."""
    cross = np.fft.rfft(heard, 2 * WINDOW) * np.fft.rfft(sent, 2 * WINDOW).conj()
    sizes = np.abs(cross)
    if not sizes.max(initial=0.0) > 0:
        return None
    taps = np.fft.irfft(cross / np.maximum(sizes, 1e-3 * sizes.max()))
    taps[_LATEST:_EARLIEST] = 0
    return Sight(at, np.fft.rfft(taps))


def drift_in(sights: Sequence[Sight]) -> float:
    """Return by how many seconds a second the way grows longer; 0 where nobody can tell.

    At the right drift all sights show the same way, and add up; at any other they do not.
    """
    if len(sights) < _LEAST_SIGHTS:
        return 0.0
    at = np.array([sight.at for sight in sights]) - sights[0].at
    ways = np.array([sight.way for sight in sights])
    hertz: Floats = np.fft.rfftfreq(2 * WINDOW, 1 / RATE).astype(np.float64)
    low = np.flatnonzero(hertz < _COARSE_HERTZ)
    step = _PARTS_OF_A_TURN / (_COARSE_HERTZ * at[-1])
    tried = np.arange(-_MOST, _MOST + step, step)
    agreed = _agreement(ways[:, low], hertz[low], at, tried)
    best = int(np.argmax(agreed))
    others = np.delete(agreed, slice(max(0, best - 5), best + 6))
    if not others.size or agreed[best] < others.mean() + _STANDS_OUT * others.std():
        return 0.0
    high = np.flatnonzero(hertz < _FINE_HERTZ)
    high = high[:: max(1, len(high) // _FINE_BINS)]
    fine = _PARTS_OF_A_TURN / (_FINE_HERTZ * at[-1])
    near = np.arange(tried[best] - 2 * step, tried[best] + 2 * step, fine)
    found = float(near[int(np.argmax(_agreement(ways[:, high], hertz[high], at, near)))])
    return found if abs(found) >= _LEAST else 0.0


def _agreement(ways: Spectrum, hertz: Floats, at: Floats, drifts: Floats) -> Floats:
    """Return for each drift how much of the sights adds up."""
    turns = 2j * np.pi * np.outer(at, hertz)
    sums = [np.square(np.abs((ways * np.exp(turns * drift)).sum(axis=0))).sum() for drift in drifts]
    return np.array(sums)
