"""Sound in the containers and codecs that clients send, in both directions, through PyAV."""

import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

import av
import numpy as np
from av.audio.stream import AudioStream

from spark_sim.speakclock.tones import RATE, Samples

_PIECE = 5 * RATE
"""Samples that are handed on at once."""
_ONE = np.float32(1 / 32_768)


class Kind(StrEnum):
    """How a recording is written."""

    WAV = "wav"
    PIPED_WAV = "piped_wav"
    """Its sizes are unknown, as when a program writes into a pipe."""
    MULAW = "mulaw"
    """A telephone: WAV, mu-law, 8 kHz."""
    FLAC = "flac"
    MP3 = "mp3"
    M4A = "m4a"
    AAC = "aac"
    WEBM = "webm"
    LIVE_WEBM = "live_webm"
    """As a browser records: nothing says how long it is."""
    OPUS = "opus"
    """Opus in Ogg."""


@dataclass(frozen=True)
class _Form:
    container: str
    codec: str
    rate: int | None = None
    seekable: bool = True


_FORMS = {
    Kind.WAV: _Form("wav", "pcm_s16le"),
    Kind.PIPED_WAV: _Form("wav", "pcm_s16le", seekable=False),
    Kind.MULAW: _Form("wav", "pcm_mulaw", 8_000),
    Kind.FLAC: _Form("flac", "flac"),
    Kind.MP3: _Form("mp3", "libmp3lame"),
    Kind.M4A: _Form("ipod", "aac", 48_000),
    Kind.AAC: _Form("adts", "aac"),
    Kind.WEBM: _Form("webm", "libopus", 48_000),
    Kind.LIVE_WEBM: _Form("webm", "libopus", 48_000, seekable=False),
    Kind.OPUS: _Form("ogg", "libopus", 48_000),
}


class _Pipe(io.RawIOBase):
    """Where one can only write on."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._target.write(cast("bytes", data))


class Writer:
    """Encodes while the sound comes: ``feed`` it, then ``finish``."""

    def __init__(
        self, target: BinaryIO | Path, kind: Kind, *, rate: int | None = None, channels: int = 1,
        bit_rate: int | None = None, source_rate: int = RATE, piped: bool = False,
    ) -> None:  # fmt: skip
        """``source_rate`` is that of what is fed, ``rate`` that of the file.

        ``piped`` never goes back in the file, so what was written can be sent on at once.
        """
        form = _FORMS[kind]
        if isinstance(target, Path):
            file: object = str(target)
        else:
            file = target if form.seekable and not piped else _Pipe(target)
        self._container = av.open(file, "w", format=form.container)
        rate = rate or form.rate or source_rate
        self._stream = cast("AudioStream", self._container.add_stream(form.codec, rate=rate))
        self._stream.layout = "stereo" if channels == 2 else "mono"
        if bit_rate is not None:
            self._stream.bit_rate = bit_rate
        self._channels = channels
        self._source_rate = source_rate
        self._count = 0

    def feed(self, samples: Samples) -> None:
        """Encode more: shape (n,) or, for two channels that differ, (n, 2)."""
        if not len(samples):
            return
        if samples.ndim == 1 and self._channels == 2:
            samples = np.stack([samples, samples], axis=1)
        whole = (np.clip(samples, -1, 1) * 32_767).astype(np.int16).reshape(1, -1)
        layout = "stereo" if self._channels == 2 else "mono"
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
        frame.sample_rate = self._source_rate
        frame.pts = self._count
        self._count += frame.samples
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what is left."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def write(
    target: BinaryIO | Path, kind: Kind, pieces: Iterable[Samples], *, rate: int | None = None,
    channels: int = 1, bit_rate: int | None = None, source_rate: int = RATE,
) -> None:  # fmt: skip
    """Write a recording that comes in pieces; hours of it need little memory."""
    writer = Writer(
        target, kind, rate=rate, channels=channels, bit_rate=bit_rate, source_rate=source_rate
    )
    for piece in pieces:
        writer.feed(piece)
    writer.finish()


def encoded(
    kind: Kind, samples: Samples, *, rate: int | None = None, channels: int = 1,
    bit_rate: int | None = None, source_rate: int = RATE,
) -> bytes:  # fmt: skip
    """Return a recording as the bytes of a file."""
    target = io.BytesIO()
    write(
        target, kind, [samples], rate=rate, channels=channels, bit_rate=bit_rate,
        source_rate=source_rate,
    )  # fmt: skip
    return target.getvalue()


@dataclass(frozen=True)
class Sound:
    """A recording that was read: 16 kHz, mono; what it was before."""

    samples: Samples
    rate: int
    channels: int
    codec: str
    container: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE


class Reader:
    """A recording that is read piece by piece as 16 kHz, mono; ``with`` closes it."""

    def __init__(self, data: bytes | Path) -> None:
        """Raises ValueError for what has no sound, OSError for what cannot be read."""
        source: object = io.BytesIO(data) if isinstance(data, bytes) else str(data)
        try:
            self._container = av.open(source, "r")
        except av.FFmpegError as error:
            raise ValueError("this is no sound") from error
        if not self._container.streams.audio:
            self._container.close()
            raise ValueError("there is no sound in it")
        self._stream = self._container.streams.audio[0]
        self.rate = self._stream.rate
        self.channels = self._stream.codec_context.channels
        self.codec = self._stream.codec_context.name
        self.container = self._container.format.name

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def pieces(self) -> Iterator[Samples]:
        """Yield it in pieces of some seconds. Raises ValueError where it is damaged."""
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        held: list[Samples] = []
        count = 0
        try:
            for frame in itertools.chain(self._container.decode(self._stream), [None]):
                for piece in resampler.resample(frame):
                    held.append(piece.to_ndarray().reshape(-1).astype(np.float32) * _ONE)
                    count += len(held[-1])
                if count >= _PIECE or (frame is None and held):
                    yield np.concatenate(held)
                    held, count = [], 0
        except av.FFmpegError as error:
            raise ValueError("the sound is damaged") from error


def read(data: bytes | Path) -> Sound:
    """Return a recording. Raises OSError or ValueError for what is none."""
    with Reader(data) as reader:
        pieces = list(reader.pieces())
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        return Sound(samples, reader.rate, reader.channels, reader.codec, reader.container)


def read_pieces(data: bytes | Path) -> Iterator[Samples]:
    """Yield a recording (16 kHz, mono) piece by piece. Raises OSError or ValueError."""
    with Reader(data) as reader:
        yield from reader.pieces()
