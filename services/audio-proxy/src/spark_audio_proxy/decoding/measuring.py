"""Numbers about samples, gathered while they pass. Pure."""

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.decoding.sound import ENERGY_SECONDS, RATE, SILENT_DBFS

_FULL = 32_768.0
_FLOOR_DBFS = -120.0
_FRAME = int(RATE * ENERGY_SECONDS)
_SPEECH_RMS = 10 ** (-45 / 20)
_SILENT_PEAK = _FULL * 10 ** (SILENT_DBFS / 20)


def dbfs(share: float) -> float:
    """Return a level, 0 to 1, in dB below full scale; never less than -120."""
    return round(max(_FLOOR_DBFS, 20 * math.log10(share)) if share > 0 else _FLOOR_DBFS, 2)


class Meter:
    """Hears every sample once, in order."""

    def __init__(self) -> None:
        self.samples = 0
        self._squares = 0.0
        self._peak = 0
        self._clipped = 0
        self._hash = hashlib.sha256()
        self._rest = np.zeros(0, np.int16)
        self._loud_frames = 0
        self._frames = 0
        self._left_right = np.zeros(5)
        self._channel_peaks = [0, 0]
        self._has_pair = False

    def hear(self, mono: NDArray[np.int16]) -> NDArray[np.float32]:
        """Take samples; return the energies of the frames that became whole."""
        self._hash.update(mono.tobytes())
        self.samples += len(mono)
        if len(mono):
            level = np.abs(mono.astype(np.int32))
            self._peak = max(self._peak, int(level.max()))
            self._clipped += int(np.count_nonzero(level >= _FULL - 1))
        joined = np.concatenate((self._rest, mono))
        whole = len(joined) // _FRAME * _FRAME
        self._rest = joined[whole:]
        return self._energies(joined[:whole].reshape(-1, _FRAME))

    def hear_pair(self, left: NDArray[np.int16], right: NDArray[np.int16]) -> None:
        """Take the two channels that the mono samples were made of."""
        if not len(left):
            return
        self._has_pair = True
        one, two = left.astype(np.float64), right.astype(np.float64)
        self._left_right += (
            one.sum(), two.sum(), (one * one).sum(), (two * two).sum(), (one * two).sum()
        )  # fmt: skip
        for number, channel in enumerate((one, two)):
            self._channel_peaks[number] = max(
                self._channel_peaks[number], int(np.abs(channel).max())
            )

    def last(self) -> NDArray[np.float32]:
        """Return the energy of what is left at the end."""
        return self._energies(self._rest.reshape(1, -1) if len(self._rest) else None)

    def measures(self) -> dict[str, Any]:
        """Return the fields of ``Measures`` that samples alone tell."""
        count = max(1, self.samples)
        return {
            "seconds": self.samples / RATE,
            "rms_dbfs": dbfs(math.sqrt(self._squares / count) / _FULL),
            "peak_dbfs": dbfs(self._peak / _FULL),
            "clipped": round(self._clipped / count, 6),
            "speech": round(self._loud_frames / max(1, self._frames), 4),
            "sha256": self._hash.hexdigest(),
            "correlation": self._correlation(),
            "quiet_channel": self._has_pair and min(self._channel_peaks) < _SILENT_PEAK,
        }

    def _energies(self, frames: NDArray[np.int16] | None) -> NDArray[np.float32]:
        if frames is None or not frames.size:
            return np.zeros(0, np.float32)
        values = frames.astype(np.float64)
        squares = (values * values).sum(axis=1)
        self._squares += float(squares.sum())
        energies = np.sqrt(squares / frames.shape[1]) / _FULL
        self._frames += len(energies)
        self._loud_frames += int(np.count_nonzero(energies > _SPEECH_RMS))
        result: NDArray[np.float32] = energies.astype(np.float32)
        return result

    def _correlation(self) -> float | None:
        if not self._has_pair:
            return None
        one, two, one_one, two_two, one_two = (float(value) for value in self._left_right)
        count = max(1, self.samples)
        spread = (one_one - one * one / count) * (two_two - two * two / count)
        if spread <= 0:
            return 0.0
        return round((one_two - one * two / count) / math.sqrt(spread), 4)
