"""Voice prints as they come, and as directions that can be compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.speech import SpeakerSegment
from spark_common.errors import InvalidRequestError

Vector = NDArray[np.float64]
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class VoiceChunk:
    """What a diarizer found in one part of a recording; labels mean nothing outside of it."""

    id: str
    offset_s: float
    fingerprints: Mapping[str, Sequence[float]] = field(default_factory=dict)
    speech_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds each label speaks; without them they are taken from the segments."""
    segments: tuple[SpeakerSegment, ...] = ()
    """With times from the start of the chunk."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Everybody in the chunk, in an order that does not depend on how they were listed."""
        named = {*self.fingerprints, *self.speech_s, *(turn.speaker for turn in self.segments)}
        return tuple(sorted(named))

    def seconds(self, label: str) -> float | None:
        """Return how long a label speaks, None when nobody said."""
        if label in self.speech_s:
            return self.speech_s[label]
        turns = [turn for turn in self.segments if turn.speaker == label]
        # Exact, so that the order of the turns decides nothing.
        return fsum(max(turn.end - turn.start, 0.0) for turn in turns) if turns else None


def direction(print_: Iterable[float]) -> Vector | None:
    """Return a voice print with length 1; None when it points nowhere."""
    vector = np.asarray(tuple(print_), dtype=np.float64)
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        return None
    largest = float(np.abs(vector).max())
    if largest < _NOTHING:
        return None
    scaled: Vector = vector / largest
    return scaled / np.linalg.norm(scaled)


def same_size(directions: Iterable[Vector]) -> None:
    """Raise InvalidRequestError when voice prints cannot be compared with each other."""
    sizes = {len(each) for each in directions}
    if len(sizes) > 1:
        raise InvalidRequestError(
            "the voice prints have different lengths, so they come from different models",
            lengths=[*sorted(sizes)],
        )


def cosine(one: Vector, other: Vector) -> float:
    """Return the cosine similarity of two directions, -1 to 1."""
    return float(np.clip(one @ other, -1.0, 1.0))
