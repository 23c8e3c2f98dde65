"""One channel that is written to disk and measured on the way."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.decoding.measuring import Meter
from spark_audio_proxy.decoding.sound import RATE, SAMPLE_BYTES

_MIN_PADDED: Final = RATE
"""A server is never sent less than a second."""


class Track:
    """Samples in ``<stem>.pcm``, their energies in ``<stem>.energy``."""

    def __init__(self, stem: str, opened: ExitStack) -> None:
        self.meter = Meter()
        pcm, energy = Path(f"{stem}.pcm"), Path(f"{stem}.energy")
        self._pcm = opened.enter_context(pcm.open("wb"))
        self._energy = opened.enter_context(energy.open("wb"))

    def write(self, samples: NDArray[np.int16]) -> None:
        """Add samples."""
        self._pcm.write(samples.tobytes())
        self._energy.write(self.meter.hear(samples).tobytes())

    def finish(self) -> None:
        """Write what is left, and silence after a very short recording."""
        self._energy.write(self.meter.last().tobytes())
        self._pcm.write(bytes(max(0, _MIN_PADDED - self.meter.samples) * SAMPLE_BYTES))
