"""What is in a recording that came: its words, its length, what it was encoded with.

Brings NumPy and PyAV along, so it is imported when there is something to hear. Real recognition
needs a GPU: heard are words of the speaking clock, and clips whose sound is known.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from spark_sim.speakclock.listener import HeardWord, Listener
from spark_sim.speakclock.sound_files import Reader
from spark_sim.speakclock.tones import RATE
from spark_sim.speech.known_clips import words_of_clip

_CLIP_SECONDS = 20
"""Known clips are shorter."""
_FRAME = 0.08
_KEPT = 64


@dataclass(frozen=True)
class Word:
    """A word as the model tells it: seconds on its grid of 80 ms."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Heard:
    """What is in a recording."""

    words: tuple[HeardWord, ...]
    clip: tuple[str, ...]
    """The words of a clip that is known, when there are no others."""
    seconds: float
    sha256: str
    codec: str
    container: str
    rate: int
    channels: int

    def transcript(
        self, *, loses_weaker: bool = False, cut_seconds: float = float("inf")
    ) -> list[Word]:
        """Return the words without what tells the speakers apart.

        The image computes so many seconds at once: a word over the cut is lost.
        """
        if self.clip:
            each = self.seconds / len(self.clip)
            return [
                Word(text, round(n * each, 2), round((n + 1) * each, 2))
                for n, text in enumerate(self.clip)
            ]
        words = _louder(self.words) if loses_weaker else self.words
        return [
            Word(word.text, *_on_grid(word))
            for word in words
            if word.start // cut_seconds == word.end // cut_seconds
        ]


_recent: OrderedDict[bytes, Heard] = OrderedDict()
"""What was heard lately, by hash of the file: the diarizer often gets what was transcribed."""


def listen(data: bytes) -> Heard:
    """Return what is in a file. Raises OSError or ValueError for what is no sound."""
    key = hashlib.sha256(data).digest()
    heard = _recent.pop(key, None) or _listen(data)
    _recent[key] = heard
    while len(_recent) > _KEPT:
        _recent.popitem(last=False)
    return heard


def _listen(data: bytes) -> Heard:
    listener, digest = Listener(), hashlib.sha256()
    words: list[HeardWord] = []
    kept: list[bytes] = []
    count = 0
    with Reader(data) as reader:
        for piece in reader.pieces():
            samples = np.round(piece * 32_768).astype("<i2").tobytes()
            digest.update(samples)
            count += len(piece)
            words += listener.feed(piece)
            if count <= _CLIP_SECONDS * RATE:
                kept.append(samples)
        words += listener.finish()
        short = not words and count <= _CLIP_SECONDS * RATE
        clip = words_of_clip(np.frombuffer(b"".join(kept), "<i2")) if short else ()
        return Heard(
            tuple(words), clip, count / RATE, digest.hexdigest(), reader.codec, reader.container,
            reader.rate, reader.channels,
        )  # fmt: skip


def _on_grid(word: HeardWord) -> tuple[float, float]:
    start, end = round(word.start / _FRAME), round(word.end / _FRAME)
    return round(start * _FRAME, 2), round(max(end, start + 1) * _FRAME, 2)


def _louder(words: tuple[HeardWord, ...]) -> list[HeardWord]:
    """Return the words without those over half of which somebody louder speaks."""
    kept = []
    for at, word in enumerate(words):
        near = words[max(0, at - 40) : at + 40]
        covered = sum(
            max(0.0, min(word.end, other.end) - max(word.start, other.start))
            for other in near
            if other.band != word.band and _is_louder(other, word)
        )
        if covered < (word.end - word.start) / 2:
            kept.append(word)
    return kept


def _is_louder(one: HeardWord, other: HeardWord) -> bool:
    """Return whether one is to be preferred; of two that are alike the lower band is."""
    if abs(one.level - other.level) < 0.1 * other.level:
        return one.band < other.band
    return one.level > other.level
