"""Who speaks how much of a word, from the diarizer's probability of every frame."""

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.merging.tracks import Floats
from spark_audio_proxy.speech import FrameProbabilities

_AUDIBLE = 0.1
"""Below this mean probability of the likeliest speaker the frames know of nobody."""


class FrameTracks:
    """Expected seconds of speech per speaker and span; exact for spans that cut a frame."""

    def __init__(self, frames: FrameProbabilities) -> None:
        values = np.clip(np.nan_to_num(frames.values), 0.0, 1.0)
        width = frames.frame_seconds
        self._column = {name: index for index, name in enumerate(frames.speakers)}
        self._edges = frames.start + width * np.arange(len(values) + 1)
        self._spoken = np.zeros((len(values) + 1, values.shape[1]))
        np.cumsum(values, axis=0, out=self._spoken[1:])
        self._spoken *= width

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who has a probability."""
        return tuple(self._column)

    def overlap(self, speaker: str, starts: Floats, ends: Floats) -> Floats:
        """Return the expected seconds of speech of a speaker in each span."""
        column = self._column.get(speaker)
        if column is None:
            return np.zeros(len(starts))
        spoken = self._spoken[:, column]
        return np.interp(ends, self._edges, spoken) - np.interp(starts, self._edges, spoken)

    def usable(self, starts: Floats, ends: Floats) -> NDArray[np.bool_]:
        """Return for which spans the frames can tell: fully covered, and somebody is audible."""
        covered = (starts >= self._edges[0] - 1e-6) & (ends <= self._edges[-1] + 1e-6)
        loudest = np.zeros(len(starts))
        for speaker in self._column:
            loudest = np.maximum(loudest, self.overlap(speaker, starts, ends))
        told: NDArray[np.bool_] = covered & (loudest >= _AUDIBLE * (ends - starts))
        return told
