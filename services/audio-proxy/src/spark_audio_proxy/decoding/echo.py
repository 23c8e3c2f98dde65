"""Takes out of a microphone what it hears of a loudspeaker whose signal is known. Pure.

A partitioned Kalman filter in the frequency domain: it learns the way from the loudspeaker to
the microphone while both sides speak, since what it cannot explain makes it learn less.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.decoding.sound import RATE

BLOCK: Final = 2048
"""Samples that are cleared at once."""
LEAD: Final = RATE // 5
"""The microphone may hear a sound by so many samples before the other channel has it: clocks."""
_PARTS: Final = 7
"""The way is known for so many blocks: 0.2 s before to 0.7 s after the other channel."""
_STAYS: Final = 0.999
"""How much of the way holds from one block to the next; rooms and clocks change slowly."""
_NOISE: Final = 1e-3
"""Where learning begins: what else the microphone hears, in full scale squared per bin."""
_SPREAD: Final = RATE // 20
_TOGETHER: Final = 0.25
"""A real way has so much of its energy within 50 ms; without an echo it is 0.06 anywhere."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """What was learned of the way: whether there is any, and its length in seconds."""

    is_real: bool
    lag: float


class EchoFilter:
    """Hears both channels block by block; samples from -1 to 1.

    The block of the other channel has to begin ``LEAD`` samples after that of the microphone.
    """

    def __init__(self) -> None:
        bins = BLOCK + 1
        self._sent = np.zeros((_PARTS, bins), np.complex128)
        self._way = np.zeros((_PARTS, bins), np.complex128)
        self._unsure = np.ones((_PARTS, bins))
        self._others = np.full(bins, _NOISE)
        self._before = np.zeros(BLOCK)

    def forget_sound(self) -> None:
        """Begin somewhere else with what was learned."""
        self._sent[:] = 0
        self._before = np.zeros(BLOCK)

    def cleared(self, heard: Floats, sent: Floats) -> Floats:
        """Return a block of the microphone without the other side."""
        self._sent = np.roll(self._sent, 1, axis=0)
        self._sent[0] = np.fft.rfft(np.concatenate((self._before, sent)))
        self._before = sent
        echo = np.fft.irfft((self._sent * self._way).sum(axis=0))[BLOCK:]
        rest: Floats = heard - echo
        self._learn(rest)
        # Where it errs it does no harm: nothing is louder without its echo.
        return rest if rest @ rest <= heard @ heard else heard

    def way(self) -> Way:
        """Return what is known by now."""
        taps = np.fft.irfft(self._way, axis=1)[:, :BLOCK].ravel()
        energies = np.concatenate(([0.0], np.cumsum(taps * taps)))
        near = (energies[_SPREAD:] - energies[:-_SPREAD]).max(initial=0.0)
        real = bool(energies[-1] > 0 and near > _TOGETHER * energies[-1])
        return Way(real, (int(np.argmax(np.abs(taps))) - LEAD) / RATE)

    def _learn(self, rest: Floats) -> None:
        left = np.fft.rfft(np.concatenate((np.zeros(BLOCK), rest)))
        power = np.abs(self._sent) ** 2
        self._others = 0.5 * self._others + 0.5 * np.abs(left) ** 2
        gain = self._unsure / ((0.5 * self._unsure * power).sum(axis=0) + self._others + 1e-10)
        step = np.fft.irfft(gain * self._sent.conj() * left, axis=1)
        step[:, BLOCK:] = 0
        self._way += np.fft.rfft(step, axis=1)
        kept = _STAYS * _STAYS
        self._unsure *= kept * (1 - 0.5 * gain * power)
        self._unsure += (1 - kept) * np.abs(self._way) ** 2
