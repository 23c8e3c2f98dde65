"""A stretch of decoded sound, and how it is written into a request: WAV, streamed from disk."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark_audio_proxy.decoding.sound import RATE, SAMPLE_BYTES, Sound
from spark_common.ids import new_id

_PIECE: Final = 256 * 1024
_LEAST_SAMPLES: Final = RATE


@dataclass(frozen=True)
class Clip:
    """Samples ``first`` to ``last`` of a file of 16 kHz, one channel, 16 bit."""

    pcm: Path
    first: int
    last: int
    sha256: str
    """Of the whole recording that it is a part of."""

    @classmethod
    def whole(cls, sound: Sound) -> "Clip":
        """Return all of a recording; a very short one is a second long on disk already."""
        samples = round(sound.seconds * RATE)
        return cls(sound.pcm, 0, max(samples, _LEAST_SAMPLES), sound.measures.sha256)

    def part(self, start: float, end: float) -> "Clip":
        """Return the stretch between two times in seconds from its own start."""
        first = self.first + round(start * RATE)
        last = min(self.last, self.first + round(end * RATE))
        return Clip(self.pcm, first, max(first, last), self.sha256)

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.last - self.first) / RATE

    @property
    def size(self) -> int:
        """Bytes of its samples."""
        return (self.last - self.first) * SAMPLE_BYTES


def wav_head(size: int) -> bytes:
    """Return the 44 bytes before ``size`` bytes of samples."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES,
        8 * SAMPLE_BYTES, b"data", size,
    )  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A multipart body: fields, then the clip as ``file``."""

    clip: Clip
    fields: Mapping[str, str]
    boundary: str

    @classmethod
    def of(cls, clip: Clip, fields: Mapping[str, str]) -> "Form":
        """Return it with a boundary of its own."""
        return cls(clip, fields, new_id())

    @property
    def headers(self) -> dict[str, str]:
        """Return what its length and type are."""
        size = len(self._head()) + 44 + self.clip.size + len(self._tail())
        return {
            "content-type": f"multipart/form-data; boundary={self.boundary}",
            "content-length": str(size),
        }

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body; the file is read as it is sent."""
        yield self._head() + wav_head(self.clip.size)
        with self.clip.pcm.open("rb") as file:
            file.seek(self.clip.first * SAMPLE_BYTES)
            left = self.clip.size
            while left > 0:
                piece = await asyncio.to_thread(file.read, min(_PIECE, left))
                if not piece:
                    # Shorter than measured: silence, so that the length holds.
                    piece = bytes(min(_PIECE, left))
                left -= len(piece)
                yield piece
        yield self._tail()

    def _head(self) -> bytes:
        parts = [
            f'--{self.boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        parts.append(
            f'--{self.boundary}\r\ncontent-disposition: form-data; name="file"; '
            'filename="audio.wav"\r\ncontent-type: audio/wav\r\n\r\n'
        )
        return "".join(parts).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()
