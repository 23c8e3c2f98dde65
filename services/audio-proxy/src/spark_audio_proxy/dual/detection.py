"""Whether two channels really are two sides of a talk."""

import numpy as np
from numpy.typing import NDArray

CHANNELS_IDENTICAL = "channels_identical"
"""The warning of a recording that was handled as one channel after all."""
_SAME = 0.98
_PIECE = 1 << 20
_SILENT_PEAK = 32.768
"""60 dB below full scale."""


def are_two_sides(correlation: float | None, quiet_channel: bool) -> bool:
    """Return False for one recording on both channels, and where one channel is silent."""
    return correlation is not None and correlation <= _SAME and not quiet_channel


def compared(one: NDArray[np.int16], other: NDArray[np.int16]) -> tuple[float | None, bool]:
    """Return the correlation of two channels and whether either is silent.

    Samples may lie in mapped files; a piece at a time is read. None where a channel is constant.
    """
    count = min(len(one), len(other))
    sums = np.zeros(5)
    peaks = [0.0, 0.0]
    for start in range(0, count, _PIECE):
        left = one[start : min(start + _PIECE, count)].astype(np.float64)
        right = other[start : min(start + _PIECE, count)].astype(np.float64)
        sums += (left.sum(), right.sum(), left @ left, right @ right, left @ right)
        peaks = [max(peaks[0], np.abs(left).max()), max(peaks[1], np.abs(right).max())]
    quiet = min(peaks) < _SILENT_PEAK
    first, second, first_square, second_square, product = sums / max(count, 1)
    spread = (first_square - first**2) * (second_square - second**2)
    if spread <= 0:
        return None, quiet
    return float((product - first * second) / np.sqrt(spread)), quiet
