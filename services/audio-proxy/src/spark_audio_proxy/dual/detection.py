"""Whether two channels really are two sides of a talk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHANNELS_IDENTICAL = "channels_identical"
"""The warning of a recording that was handled as one channel after all."""
_SAME = 0.98
_PIECE = 1 << 20
_SILENT_PEAK = 32.768
"""60 dB below full scale."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What two channels have in common; one that ends earlier is silent from then on."""

    correlation: float | None
    """None where a channel is constant."""
    quiet: bool
    """Whether either is silent."""
    louder: int
    """Which of them more can be heard of, 0 or 1; a constant is no sound."""

    @property
    def are_two_sides(self) -> bool:
        """False for one recording on both channels, and where one channel is silent."""
        return self.correlation is not None and self.correlation <= _SAME and not self.quiet


def compared(one: NDArray[np.int16], other: NDArray[np.int16]) -> Compared:
    """Compare two channels, which may lie in mapped files: a piece at a time is read."""
    count = max(len(one), len(other))
    sums = np.zeros(5)
    peaks = [0.0, 0.0]
    for start in range(0, count, _PIECE):
        size = min(_PIECE, count - start)
        left, right = _piece(one, start, size), _piece(other, start, size)
        sums += (left.sum(), right.sum(), left @ left, right @ right, left @ right)
        peaks = [max(peaks[0], np.abs(left).max()), max(peaks[1], np.abs(right).max())]
    first, second, first_square, second_square, product = sums / max(count, 1)
    spreads = first_square - first**2, second_square - second**2
    spread = spreads[0] * spreads[1]
    return Compared(
        float((product - first * second) / np.sqrt(spread)) if min(spreads) > 0 else None,
        min(peaks) < _SILENT_PEAK,
        int(spreads[1] > spreads[0]),
    )


def _piece(samples: NDArray[np.int16], start: int, size: int) -> NDArray[np.float64]:
    found = np.zeros(size)
    part = samples[start : start + size]
    found[: len(part)] = part
    return found
