"""How loud a channel is over time: what cuts, lags and bleed are judged by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS = 0.01
_PIECE_SECONDS = 60
_FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True, eq=False)
class Loudness:
    """Mean square of each frame of a channel, where 1 is full scale."""

    powers: NDArray[np.float32]
    frame_seconds: float = FRAME_SECONDS

    def between(self, start: float, end: float) -> NDArray[np.float32]:
        """Return the frames from one second to another, as far as there are any."""
        first = max(round(start / self.frame_seconds), 0)
        return self.powers[first : max(round(end / self.frame_seconds), first)]


def loudness_of_levels(levels: NDArray[np.float32], frame_seconds: float) -> Loudness:
    """Return the loudness that somebody measured already, as root mean squares 0 to 1."""
    return Loudness(levels * levels, frame_seconds)


def loudness_of(samples: NDArray[np.int16], rate: int) -> Loudness:
    """Measure signed 16 bit samples, which may lie in a mapped file: a minute at a time is read.

    Samples that do not fill a last frame are left out.
    """
    frame = round(rate * FRAME_SECONDS)
    piece = frame * round(_PIECE_SECONDS / FRAME_SECONDS)
    whole = len(samples) // frame * frame
    measured = [
        _mean_squares(samples[start : min(start + piece, whole)].reshape(-1, frame))
        for start in range(0, whole, piece)
    ]
    return Loudness(np.concatenate(measured) if measured else np.empty(0, dtype=np.float32))


def _mean_squares(frames: NDArray[np.int16]) -> NDArray[np.float32]:
    scaled = frames.astype(np.float32) / np.float32(_FULL_SCALE)
    powers: NDArray[np.float32] = np.mean(scaled * scaled, axis=1, dtype=np.float32)
    return powers
