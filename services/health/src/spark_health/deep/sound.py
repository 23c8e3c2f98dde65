"""Whether some bytes are a WAV that can be played and in which something is to be heard."""

import struct
from array import array
from dataclasses import dataclass

_QUIET = 0.003
"""Root mean square of full scale below which nobody hears anything (-50 dB)."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


class NoSoundError(Exception):
    """The bytes are no sound; the text says why."""


@dataclass(frozen=True)
class Sound:
    """What was decoded."""

    seconds: float
    rate: int
    loudness: float
    """Root mean square, 0 to 1."""

    @property
    def audible(self) -> bool:
        """Whether anything is to be heard."""
        return self.loudness >= _QUIET


def decode_wav(data: bytes) -> Sound:
    """Decode. Sizes of a stream that was not known at its beginning are taken as they come.

    Raises NoSoundError.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NoSoundError("it is no WAV")
    at, form = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            form = struct.unpack_from("<HHIIHH", body)
            if form[0] == _EXTENSIBLE and len(body) >= 26:
                form = (struct.unpack_from("<H", body, 24)[0], *form[1:])
        if name == b"data":
            if form is None:
                raise NoSoundError("its samples come before their form")
            return _sound(body, form)
        at += 8 + size + size % 2
    raise NoSoundError("there are no samples in it")


def _sound(body: bytes, form: tuple[int, ...]) -> Sound:
    kind, channels, rate, _, _, bits = form
    codes = {(_PCM, 16): "h", (_PCM, 32): "i", (_FLOAT, 32): "f", (_FLOAT, 64): "d"}
    code = codes.get((kind, bits))
    if code is None or not 1 <= channels <= 8 or not 4000 <= rate <= 384_000:
        raise NoSoundError(f"its samples have a form that nobody plays ({kind}, {bits} bit)")
    samples = array(code)
    samples.frombytes(body[: len(body) - len(body) % samples.itemsize])
    if not samples:
        raise NoSoundError("there are no samples in it")
    full = 1.0 if kind == _FLOAT else float(1 << (bits - 1))
    # Every channel alike counts; a NaN makes the mean one and is not audible.
    mean = sum((value / full) ** 2 for value in samples) / len(samples)
    loudness: float = mean**0.5
    return Sound(len(samples) / channels / rate, rate, loudness)
