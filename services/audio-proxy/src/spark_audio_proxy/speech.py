"""What was said, when, and by whom: the nouns that every part of audio-proxy hands to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS = 0.08
"""One frame of the speech models: the grid of word times and of speaker probabilities."""
LATEST_SECONDS = 1e7
"""No recording is this long: a later time is no time."""


def is_time(seconds: float) -> bool:
    """Whether a number can be a time of a recording: neither infinite, nor none, nor absurd."""
    return abs(seconds) <= LATEST_SECONDS


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word; times in seconds from the start of the recording."""

    text: str
    """Without spaces around it, with the punctuation that belongs to it; never empty."""
    start: float
    end: float
    speaker: str | None = None
    """Null before the merge, and after it where nobody can be told."""
    confidence: float | None = None
    """How sure the speaker is, 0 to 1; null before the merge."""
    overlap: bool = False
    """Somebody else speaks during at least half of it."""
    alt_speaker: str | None = None
    """Who else, when ``overlap``."""
    estimated: bool = False
    """The upstream gave no time for the word itself; this one is interpolated."""


@dataclass(frozen=True, slots=True)
class SpeakerSegment:
    """One turn of one speaker as a diarizer reports it; segments may overlap and lie unsorted."""

    start: float
    end: float
    speaker: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FrameProbabilities:
    """How likely each speaker speaks in each frame of ``frame_seconds``; they may overlap."""

    speakers: tuple[str, ...]
    values: NDArray[np.float32]
    """Shape [frames, speakers]; frame ``i`` starts at ``start + i * frame_seconds``."""
    frame_seconds: float = FRAME_SECONDS
    start: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Diarization:
    """Who speaks when, with one voice print per speaker; labels mean nothing outside of it."""

    segments: tuple[SpeakerSegment, ...]
    duration: float = 0.0
    frames: FrameProbabilities | None = None
    fingerprints: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Voice print by speaker, as the embedding model gave it."""
    models: Mapping[str, str] = field(default_factory=dict)
    """``diarization`` and ``embedding``, as far as the upstream names them."""


@dataclass(frozen=True, slots=True)
class Block:
    """What one speaker says without a longer break."""

    start: float
    end: float
    speaker: str | None
    text: str
    confidence: float | None
    words: tuple[Word, ...]
    overlap: bool = False
    channel: str | None = None
    """``local`` or ``remote`` in a recording of two channels."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recording in words; with ``blocks`` when the speakers were asked for."""

    words: tuple[Word, ...]
    duration: float
    language: str | None = None
    """ISO 639-1; null when the upstream did not say."""
    blocks: tuple[Block, ...] = ()
    """The same words by speaker, in order of their start."""
    warnings: tuple[str, ...] = ()
    """Codes such as ``no_speakers_found``, ``times_estimated``, ``channels_identical``."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers in order of their first block, without those that nobody could tell."""
        return tuple(dict.fromkeys(block.speaker for block in self.blocks if block.speaker))
