"""Words of several speakers as one sound, piece by piece, so that hours need little memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from spark_sim.speakclock.tones import LEVEL, RATE, Samples, seconds_of, sound_of

_LAST_SECONDS = 0.5
"""Silence after the last word, where nobody says how long it is to be."""


@dataclass(frozen=True)
class SpokenWord:
    """A word, when it begins (seconds), in which band and how loud."""

    text: str
    start: float
    band: int
    level: float = LEVEL
    speaker: str = ""

    @property
    def end(self) -> float:
        """When it ends."""
        return self.start + seconds_of(self.text)

    def copied(self, seconds_later: float, decibel: float) -> "SpokenWord":
        """Return how it arrives elsewhere: later, and louder or (below 0) quieter."""
        return replace(
            self, start=self.start + seconds_later, level=self.level * 10 ** (decibel / 20)
        )


def in_a_row(
    text: str, band: int = 0, *, start: float = 0.0, pause: float = 0.03, level: float = LEVEL
) -> list[SpokenWord]:
    """Return the words of a text, one after the other."""
    words: list[SpokenWord] = []
    for word in text.split():
        words.append(SpokenWord(word, start, band, level))
        start = words[-1].end + max(pause, 0.016)
    return words


def mixed(words: Iterable[SpokenWord], seconds: float | None = None) -> Samples:
    """Return the whole sound."""
    pieces = list(blocks(words, seconds))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def blocks(
    words: Iterable[SpokenWord], seconds: float | None = None, block_seconds: float = 10.0
) -> Iterator[Samples]:
    """Yield the sound in blocks; what lies outside of ``seconds`` is cut."""
    row = sorted(words, key=lambda word: word.start)
    if seconds is None:
        seconds = max((word.end for word in row), default=0.0) + _LAST_SECONDS
    count, block = round(seconds * RATE), round(block_seconds * RATE)
    ahead: Samples = np.zeros(0, np.float32)
    at = 0
    for first in range(0, count, block):
        now = np.zeros(block, np.float32)
        now = _longer(now, len(ahead))
        now[: len(ahead)] += ahead
        while at < len(row) and row[at].start * RATE < first + block:
            word = row[at]
            at += 1
            sound = sound_of(word.text, word.band, word.level)
            begin = round(word.start * RATE) - first
            sound, begin = sound[max(0, -begin) :], max(0, begin)
            now = _longer(now, begin + len(sound))
            now[begin : begin + len(sound)] += sound
        ahead = now[block:]
        yield now[: min(block, count - first)]


def noisy(pieces: Iterable[Samples], snr_decibel: float, seed: int = 0) -> Iterator[Samples]:
    """Yield sound with white noise, so many decibel below one speaker at the usual level."""
    source = np.random.default_rng(seed)
    size = LEVEL / np.sqrt(2) * 10 ** (-snr_decibel / 20)
    for piece in pieces:
        yield piece + (size * source.standard_normal(piece.shape)).astype(np.float32)


def side_by_side(left: Iterable[Samples], right: Iterable[Samples]) -> Iterator[Samples]:
    """Yield two recordings of one length as two channels: arrays of shape (samples, 2)."""
    for one, other in zip(left, right, strict=True):
        yield np.stack([one, other], axis=1)


def _longer(samples: Samples, count: int) -> Samples:
    return samples if len(samples) >= count else np.pad(samples, (0, count - len(samples)))
