"""Who speaks how much of a word, from the diarizer's probability of every frame."""

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.merging.tracks import Floats
from spark_audio_proxy.speech import FrameProbabilities

_AUDIBLE = 0.1
"""Below this mean probability of the likeliest speaker the frames know of nobody."""
_NEAR = 1e-6


class FrameEvidence:
    """Expected seconds of speech of every speaker in every span; exact where a span cuts a frame.

    ``usable`` says for which spans the frames can tell: covered, and somebody is audible.
    """

    def __init__(self, frames: FrameProbabilities, starts: Floats, ends: Floats) -> None:
        values = np.clip(np.nan_to_num(frames.values), 0.0, 1.0)
        spoken = np.zeros((len(values) + 1, values.shape[1]))
        np.cumsum(values, axis=0, out=spoken[1:])
        first = (starts - frames.start) / frames.frame_seconds
        last = (ends - frames.start) / frames.frame_seconds
        self._seconds = (_read(spoken, last) - _read(spoken, first)) * frames.frame_seconds
        self._column = {name: index for index, name in enumerate(frames.speakers)}
        covered = (first >= -_NEAR) & (last <= len(values) + _NEAR)
        audible = self._seconds.max(axis=1) >= _AUDIBLE * (ends - starts)
        self.usable: NDArray[np.bool_] = covered & audible

    def knows(self, speaker: str) -> bool:
        """Return whether a speaker has probabilities."""
        return speaker in self._column

    def seconds(self, speaker: str) -> Floats:
        """Return for how many seconds of each span a speaker is expected to speak."""
        column = self._column.get(speaker)
        found: Floats = (
            self._seconds[:, column] if column is not None else np.zeros(len(self.usable))
        )
        return found


def _read(levels: NDArray[np.float64], places: Floats) -> NDArray[np.float64]:
    """Return the rows at places between rows, every column interpolated."""
    inside = np.clip(places, 0.0, len(levels) - 1.0)
    below = np.minimum(inside.astype(np.int64), len(levels) - 2)
    part = (inside - below)[:, np.newaxis]
    rows: NDArray[np.float64] = levels[below] * (1.0 - part) + levels[below + 1] * part
    return rows
