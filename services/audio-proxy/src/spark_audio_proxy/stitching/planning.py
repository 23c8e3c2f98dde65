"""Where to cut a long recording: in its quietest moments, with some of both sides heard twice."""

from dataclasses import dataclass

import numpy as np

from spark_audio_proxy.loudness import Loudness
from spark_audio_proxy.speech import FRAME_SECONDS as GRID

_QUIET_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """Seconds; ``longest`` is what one call of the upstream may be given, overlap included."""

    target: float = 480.0
    longest: float = 600.0
    search: float = 60.0
    """A cut is looked for in so much before the target."""
    words_overlap: float = 8.0
    speakers_overlap: float = 30.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a recording; ``start`` to ``end`` is what only it answers for."""

    index: int
    start: float
    end: float
    words_start: float
    words_end: float
    """What the transcriber gets: the chunk and half of the overlap on each side."""
    speakers_start: float
    speakers_end: float
    """What the diarizer gets."""


def plan_chunks(
    duration: float, loudness: Loudness, rules: ChunkRules | None = None
) -> tuple[Chunk, ...]:
    """Return chunks that cover the recording without a gap; one, when it is short enough.

    Cuts lie on the frames of the speech models, so that frames of all chunks line up.
    Raises ValueError for rules that cannot be kept.
    """
    rules = rules or ChunkRules()
    margin = max(rules.words_overlap, rules.speakers_overlap)
    if rules.target + margin > rules.longest or rules.target <= rules.search + margin:
        raise ValueError("a chunk with its overlap must fit a call and be longer than its search")
    cuts = [0.0]
    while duration - cuts[-1] > rules.longest - (margin / 2 if len(cuts) > 1 else 0.0):
        cuts.append(_cut(loudness, cuts[-1] + rules.target, rules.search))
    cuts.append(duration)
    return tuple(
        _chunk(index, cuts[index], cuts[index + 1], duration, rules)
        for index in range(len(cuts) - 1)
    )


def _cut(loudness: Loudness, latest: float, search: float) -> float:
    """Return the middle of the quietest moment, the last of equals."""
    window = max(round(_QUIET_SECONDS / loudness.frame_seconds), 1)
    powers = loudness.between(latest - search, latest).astype(np.float64)
    if len(powers) <= window:
        return _on_grid(latest)
    sums = np.convolve(powers, np.ones(window), mode="valid")
    quietest = len(sums) - 1 - int(np.argmin(np.round(sums[::-1], 12)))
    return _on_grid(latest - search + (quietest + window / 2) * loudness.frame_seconds)


def _on_grid(seconds: float) -> float:
    return round(int(seconds / GRID + 1e-6) * GRID, 6)


def _chunk(index: int, start: float, end: float, duration: float, rules: ChunkRules) -> Chunk:
    def around(overlap: float) -> tuple[float, float]:
        half = _on_grid(overlap / 2)
        return max(round(start - half, 6), 0.0), min(round(end + half, 6), duration)

    return Chunk(index, start, end, *around(rules.words_overlap), *around(rules.speakers_overlap))
