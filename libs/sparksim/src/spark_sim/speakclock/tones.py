"""How a word sounds: which tones, how long, how loud."""

from functools import cache

import numpy as np
import numpy.typing as npt

from spark_sim.speakclock.bands import BANDS as BANDS

Samples = npt.NDArray[np.float32]
"""Sound between -1 and 1, 16,000 samples a second, mono unless it says otherwise."""

RATE = 16_000
SYMBOL = 512
"""Samples of one tone: 32 ms."""
STEP_HERTZ = 50
LOWEST_HERTZ = 350
BAND_HERTZ = 900
SYNC = 16
"""The tone with which a word begins; 0 to 15 are half a byte each."""
LEVEL = 0.12
"""Amplitude of one speaker: eight at once do not clip."""
MOST_BYTES = 60
"""Of a word; what is longer is cut at a letter."""
_EDGE = RATE * 4 // 1000
"""Samples in which a tone comes and goes, so that it does not click into other bands."""


def hertz(band: int, tone: int) -> int:
    """Return the frequency of a tone of a band."""
    return LOWEST_HERTZ + BAND_HERTZ * band + STEP_HERTZ * tone


def check_of(word: bytes) -> int:
    """Return the byte that is sent after a word."""
    return sum(word) * 7 % 256


def bytes_of(text: str) -> bytes:
    """Return the bytes of a word that are said."""
    return text.encode()[:MOST_BYTES].decode(errors="ignore").encode()


def seconds_of(text: str) -> float:
    """Return how long a word sounds, without the gap after it."""
    return (1 + 2 * (len(bytes_of(text)) + 1)) * SYMBOL / RATE


GAP_SECONDS = SYMBOL / 2 / RATE
"""The least silence between two words of one speaker."""


def sound_of(text: str, band: int, level: float = LEVEL, rate: int = RATE) -> Samples:
    """Return a word as sound of so many samples a second, with the gap after it."""
    said = bytes_of(text)
    halves = [half for byte in (*said, check_of(said)) for half in (byte >> 4, byte & 15)]
    tones = _tones(rate)[band, [SYNC, *halves]].reshape(-1)
    gap = np.zeros(tones.size // (2 + 2 * len(halves)), np.float32)
    return np.concatenate([level * tones, gap]).astype(np.float32)


@cache
def _tones(rate: int) -> npt.NDArray[np.float32]:
    """Return all tones: band, tone, sample."""
    count, edge = round(SYMBOL * rate / RATE), round(_EDGE * rate / RATE)
    window = np.ones(count)
    window[:edge] = np.linspace(0, 1, edge)
    window[-edge:] = window[:edge][::-1]
    frequencies = np.array([[hertz(b, tone) for tone in range(SYNC + 1)] for b in range(BANDS)])
    turns = frequencies[:, :, None] * np.arange(count) / rate
    return (window * np.sin(2 * np.pi * turns)).astype(np.float32)
