"""How words are heard again: as a whole, or piece by piece in little memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spark_sim.speakclock.tones import (
    BAND_HERTZ,
    BANDS,
    LOWEST_HERTZ,
    MOST_BYTES,
    RATE,
    STEP_HERTZ,
    SYMBOL,
    SYNC,
    Samples,
    check_of,
)

_HOP = SYMBOL // 4
_STEP = SYMBOL // _HOP
_PERIOD = RATE // STEP_HERTZ
"""Samples after which every tone repeats: frames are folded to them, so one short transform sees
exactly the frequencies of the tones."""
_FIRST_BIN = LOWEST_HERTZ // STEP_HERTZ
_BAND_BINS = BAND_HERTZ // STEP_HERTZ
_MOST_SYMBOLS = 2 * (MOST_BYTES + 1)
_LONGEST = (_MOST_SYMBOLS + 4) * _STEP
"""Frames within which a word ends."""
_WINDOW = np.hanning(SYMBOL).astype(np.float32)
_UNIT = float(_WINDOW.sum() / 2)
"""What a tone of amplitude 1 gives."""
_FLOOR = (0.001 * _UNIT) ** 2
_SYNC_PURITY = 0.5
_PURITY = 0.35
_FADED = 0.02
"""Of the power of the first tone: what is weaker is an echo of the codec, not of the word."""
_AT_ONCE = 2048


@dataclass(frozen=True)
class HeardWord:
    """A word with its times in seconds; ``level`` is the amplitude of its tones."""

    text: str
    start: float
    end: float
    band: int
    level: float


def hear(samples: Samples) -> list[HeardWord]:
    """Return the words of a recording (16 kHz, mono) in the order in which they begin."""
    return list(hear_all([samples]))


def hear_all(pieces: Iterable[Samples]) -> Iterator[HeardWord]:
    """Yield the words of a recording that comes in pieces."""
    listener = Listener()
    for piece in pieces:
        yield from listener.feed(piece)
    yield from listener.finish()


class Listener:
    """Hears while the sound comes; keeps the last four seconds of what it measured."""

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(0, np.float32)
        self._frames = _Frames.none()
        self._first = 0
        """Number of the first frame that is kept."""
        self._next = [0] * BANDS
        """Number of the first frame of each band that is in no word yet."""

    def feed(self, samples: Samples) -> list[HeardWord]:
        """Take more sound; return words that have ended."""
        self._samples = np.concatenate([self._samples, samples.astype(np.float32, copy=False)])
        count = (len(self._samples) - SYMBOL) // _HOP + 1
        if count > 0:
            self._frames = _Frames.joined([self._frames, *_measured(self._samples, count)])
            self._samples = self._samples[count * _HOP :]
        return self._words(len(self._frames.best) - _LONGEST)

    def finish(self) -> list[HeardWord]:
        """Return the words that are left."""
        return self._words(len(self._frames.best))

    def _words(self, before: int) -> list[HeardWord]:
        """Return the words that begin in the kept frames before that one."""
        if before <= 0:
            return []
        found: list[HeardWord] = []
        for band in range(BANDS):
            at = self._next[band] - self._first
            for first in np.flatnonzero(self._frames.syncs(band, before)).tolist():
                if first >= at:
                    word, at = self._word(band, first)
                    found += word
            self._next[band] = self._first + max(at, before)
        gone = min(self._next) - self._first
        self._frames = self._frames.after(gone)
        self._first += gone
        return sorted(found, key=lambda word: (word.start, word.band))

    def _word(self, band: int, first: int) -> tuple[Sequence[HeardWord], int]:
        """Return the word that begins there, if there is one, and the frame after it."""
        centre = self._frames.centre(band, first)
        halves, powers = self._frames.symbols(band, centre)
        text = _text(halves[: len(halves) // 2 * 2])
        if text is None:
            return (), centre + 1
        after = centre + _STEP * (1 + len(halves))
        start = (self._first + centre) * _HOP / RATE
        length = (1 + len(halves) // 2 * 2) * SYMBOL / RATE
        level = float(np.sqrt(np.median(powers))) / _UNIT
        return (HeardWord(text, start, start + length, band, level),), after


@dataclass(frozen=True)
class _Frames:
    """For each frame and band: the strongest tone, its power, the power of all tones."""

    best: npt.NDArray[np.uint8]
    peak: Samples
    total: Samples

    @classmethod
    def none(cls) -> "_Frames":
        empty = np.zeros((0, BANDS), np.float32)
        return cls(empty.astype(np.uint8), empty, empty)

    @classmethod
    def joined(cls, parts: "Sequence[_Frames]") -> "_Frames":
        return cls(
            np.concatenate([part.best for part in parts]),
            np.concatenate([part.peak for part in parts]),
            np.concatenate([part.total for part in parts]),
        )

    def after(self, count: int) -> "_Frames":
        return _Frames(self.best[count:], self.peak[count:], self.total[count:])

    def syncs(self, band: int, before: int) -> npt.NDArray[np.bool_]:
        """Return in which frames a word may begin."""
        total = self.total[:before, band]
        clear = self.peak[:before, band] > _SYNC_PURITY * total
        found: npt.NDArray[np.bool_] = (self.best[:before, band] == SYNC) & clear & (total > _FLOOR)
        return found

    def centre(self, band: int, first: int) -> int:
        """Return where the first tone of a word is at its loudest: upwards from that frame.

        A neighbour's tone may sound like its beginning, but is much quieter.
        """
        while True:
            rows = slice(first, first + _STEP + 1)
            power = self.peak[rows, band] * (self.best[rows, band] == SYNC)
            step = int(power.argmax())
            if step == 0:
                return first
            first += step

    def symbols(self, band: int, centre: int) -> tuple[list[int], Samples]:
        """Return the half bytes after the first tone, and their powers."""
        rows = slice(centre + _STEP, centre + _STEP * (_MOST_SYMBOLS + 2), _STEP)
        best, total = self.best[rows, band], self.total[rows, band]
        wrong = (
            (best == SYNC)
            | (total < max(_FLOOR, _FADED * float(self.total[centre, band])))
            | (self.peak[rows, band] < _PURITY * total)
        )
        count = int(wrong.argmax()) if wrong.any() else len(wrong)
        return best[:count].tolist(), total[:count]


def _measured(samples: Samples, count: int) -> Iterator[_Frames]:
    frames = np.lib.stride_tricks.sliding_window_view(samples, SYMBOL)[::_HOP]
    for first in range(0, count, _AT_ONCE):
        windowed = frames[first : min(count, first + _AT_ONCE)] * _WINDOW
        folded = windowed[:, :_PERIOD].copy()
        folded[:, : SYMBOL - _PERIOD] += windowed[:, _PERIOD:]
        bins = np.fft.rfft(folded, axis=1)[:, _FIRST_BIN : _FIRST_BIN + BANDS * _BAND_BINS]
        power = (bins.real**2 + bins.imag**2).astype(np.float32)
        tones = power.reshape(len(folded), BANDS, _BAND_BINS)[:, :, : SYNC + 1]
        best = tones.argmax(2).astype(np.uint8)
        yield _Frames(best, tones.max(2), tones.sum(2, np.float32))


def _text(halves: Sequence[int]) -> str | None:
    """Return the word of half bytes; None where their sum is wrong or nothing is said."""
    said = bytes(high << 4 | low for high, low in zip(halves[::2], halves[1::2], strict=True))
    word, check = said[:-1], said[-1:]
    if not word or check != bytes([check_of(word)]):
        return None
    try:
        text = word.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and not text.isspace() else None
