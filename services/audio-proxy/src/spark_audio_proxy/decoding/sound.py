"""A recording that is decoded: samples on disk, and what was measured on the way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

RATE: Final = 16_000
"""Samples per second of everything that is sent to a speech server."""
SAMPLE_BYTES: Final = 2
ENERGY_SECONDS: Final = 0.05
"""Length of one value in the file of energies."""
SILENT_DBFS: Final = -60.0
SHORTEST_SECONDS: Final = 0.1
SIDES: Final = ("left", "right")

Channels: TypeAlias = Literal["mono", "both"]
"""``both``: the left and right channel are kept as well, each in a file of its own."""


@dataclass(frozen=True)
class DecodeOrder:
    """What a decoding process is asked for; travels as JSON."""

    source: str
    target: str
    """Stem of the files that are written: ``.pcm``, ``.energy``, ``.left.pcm``, and so on."""
    max_seconds: float
    channels: Channels = "mono"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ClearOrder:
    """Asks a decoding process to take one channel out of another; travels as JSON."""

    local: str
    """Samples of the microphone."""
    remote: str
    """Samples of what its loudspeaker said."""
    target: str
    """Stem of the files that are written."""
    samples: int
    """Of the microphone."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Measures:
    """What is known of a recording; levels in dB below full scale."""

    seconds: float
    rms_dbfs: float
    peak_dbfs: float
    clipped: float
    """Share of samples at full scale."""
    speech: float
    """Share of time that is louder than a quiet room."""
    sha256: str
    """Of the samples: the same recording in another container has the same."""
    channels: int
    source_rate: int
    codec: str
    correlation: float | None = None
    """Between left and right, -1 to 1; None of one channel."""
    quiet_channel: bool = False
    """One of the two channels is silent."""
    damaged: bool = False
    """Parts could not be decoded and were left out."""


@dataclass(frozen=True)
class Sound:
    """A decoded recording: 16 kHz, one channel, 16 bit, without a head."""

    pcm: Path
    energy: Path
    """One float32 per ``ENERGY_SECONDS``: the root mean square of the samples, 0 to 1."""
    measures: Measures
    sides: "tuple[Sound, ...]" = ()
    """The left and the right channel, where both were asked for and there are two."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.measures.seconds

    @property
    def is_silent(self) -> bool:
        """Whether nobody can be heard in it, so that no server has to be asked."""
        return self.measures.peak_dbfs < SILENT_DBFS or self.seconds < SHORTEST_SECONDS

    @classmethod
    def of(cls, order: DecodeOrder, answer: Mapping[str, Any]) -> "Sound":
        """Return what a decoding process left on disk."""
        own = {name: value for name, value in answer.items() if name != "sides"}
        sides = tuple(
            _sound(f"{order.target}.{side}", measures)
            for side, measures in zip(SIDES, answer["sides"], strict=False)
        )
        return replace(_sound(order.target, own), sides=sides)


@dataclass(frozen=True)
class Cleared:
    """A microphone's recording without what its loudspeaker said."""

    sound: Sound
    lag: float | None = None
    """Seconds by which the microphone heard the loudspeaker later; None where it heard nothing."""
    taken_db: float = 0.0
    """By how much the whole recording became quieter."""
    drift: float = 0.0
    """Seconds a second by which it heard the loudspeaker later and later: clocks run apart."""

    @classmethod
    def of(cls, local: Sound, order: ClearOrder, answer: Mapping[str, Any]) -> "Cleared":
        """Return what a decoding process left on disk, or the recording itself."""
        if answer["lag"] is None:
            return cls(local)
        measures = asdict(local.measures) | answer["measures"]
        sound = _sound(order.target, measures)
        return cls(sound, answer["lag"], answer["taken_db"], answer["drift"])


def _sound(stem: str, measures: Mapping[str, Any]) -> Sound:
    return Sound(Path(f"{stem}.pcm"), Path(f"{stem}.energy"), Measures(**measures))
