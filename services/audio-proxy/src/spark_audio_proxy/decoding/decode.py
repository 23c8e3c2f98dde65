"""Any media file to samples of 16 kHz, one channel, 16 bit. Runs where it may crash."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from spark_audio_proxy.decoding.media import UndecodableError, counted_seconds, opened_media
from spark_audio_proxy.decoding.sound import RATE, SIDES, DecodeOrder
from spark_audio_proxy.decoding.track import Track
from spark_audio_proxy.decoding.wholeness import ends_early

_OPPOSITE: Final = -0.8
"""Left and right cancel each other out in one channel; then the left one is taken."""
_REPORT_SECONDS: Final = 30.0
_LOWEST_RATE: Final = 1_000
"""Samples a second below which nothing can be understood: hours of it fit into a few bytes."""
_BLOCK_SAMPLES: Final = RATE
"""So much is handed on at a time: codecs give a few hundredths of a second."""


def decode(order: DecodeOrder, progress: Callable[[float], None]) -> dict[str, Any]:
    """Decode and measure; returns the fields of ``Measures``, and of both ``sides``.

    ``progress`` is told now and then how many seconds are done.
    Raises UndecodableError: ``invalid_audio``, ``no_audio_stream``, ``audio_too_long``.
    """
    _require_length(order)
    answer = _decode(order, progress, left_only=False)
    correlation = answer["correlation"]
    if order.channels == "mono" and correlation is not None and correlation < _OPPOSITE:
        answer = _decode(order, progress, left_only=True) | {"correlation": correlation}
    return answer


def _require_length(order: DecodeOrder) -> None:
    """Refuse what is surely too long before a second of it is decoded; raises UndecodableError."""
    with Path(order.source).open("rb") as source:
        seconds = counted_seconds(source, order.max_seconds)
    if seconds > order.max_seconds:
        raise _too_long(order.max_seconds, seconds)


def _too_long(limit: float, seconds: float) -> UndecodableError:
    return UndecodableError(
        "audio_too_long",
        f"the recording is longer than {limit:g} s, which is the limit: "
        f"{math.ceil(seconds)} s were counted and more may follow",
    )


def _decode(
    order: DecodeOrder, progress: Callable[[float], None], *, left_only: bool
) -> dict[str, Any]:
    with ExitStack() as opened:
        source = opened.enter_context(Path(order.source).open("rb"))
        frames = _Frames(source)
        main = Track(order.target, opened)
        sides = [
            Track(f"{order.target}.{side}", opened)
            for side in (SIDES if order.channels == "both" else ())
        ]
        meter, reported = main.meter, 0.0
        for block in frames:
            stereo = block.shape[0] > 1
            main.write(block[0] if left_only or not stereo else _mixed(block))
            if stereo and not left_only:
                meter.hear_pair(block[0], block[1])
            for side, channel in zip(sides, block if stereo else (), strict=False):
                side.write(channel)
            seconds = meter.samples / RATE
            if seconds > order.max_seconds:
                raise _too_long(order.max_seconds, seconds)
            if seconds - reported >= _REPORT_SECONDS:
                reported = seconds
                progress(seconds)
        if not meter.samples:
            raise UndecodableError("invalid_audio", "no sound could be decoded from the file")
        for track in (main, *sides):
            track.finish()
        facts = frames.facts(meter.samples / RATE)
        both = [side.meter.measures() | facts for side in sides if side.meter.samples]
        return meter.measures() | facts | {"sides": both}


def _mixed(block: NDArray[np.int16]) -> NDArray[np.int16]:
    mixed: NDArray[np.int16] = ((block[0].astype(np.int32) + block[1]) >> 1).astype(np.int16)
    return mixed


class _Frames:
    """Blocks of samples of one file: shape [channels, samples], at most two channels."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._damaged = False
        self._resampler: AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None
        self._container, self._stream = opened_media(source)
        if self._stream.codec_context is None:
            raise UndecodableError("invalid_audio", "the file's sound has a form that is not known")
        self._codec = self._stream.codec_context.name
        self._channels = self._stream.codec_context.channels
        self._rate = self._stream.codec_context.sample_rate or 0

    def facts(self, heard: float) -> dict[str, Any]:
        """Return the fields of ``Measures`` that the container tells; ``heard`` in seconds."""
        return {
            "channels": self._channels,
            "source_rate": self._rate,
            "codec": self._codec,
            "damaged": self._damaged or ends_early(self._source, self._container, heard),
        }

    def __iter__(self) -> Iterator[NDArray[np.int16]]:
        for frame in self._decoded():
            yield from self._resampled(frame)
        yield from self._resampled(None)

    def _decoded(self) -> Iterator[AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):
                # Cut off in the middle: what was heard so far counts.
                self._damaged = True
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                self._damaged = True
                continue
            for frame in frames:
                if not isinstance(frame, AudioFrame):
                    continue
                if frame.sample_rate < _LOWEST_RATE:
                    self._damaged = True
                    continue
                self._channels = max(self._channels, len(frame.layout.channels))
                self._rate = frame.sample_rate
                yield frame

    def _resampled(self, frame: AudioFrame | None) -> Iterator[NDArray[np.int16]]:
        if frame is None:
            yield from self._pushed(None)
            return
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            # A chained file may go on in another form.
            yield from self._pushed(None)
            layout = "mono" if len(frame.layout.channels) == 1 and self._channels < 2 else "stereo"
            self._resampler = AudioResampler(
                format="s16p", layout=layout, rate=RATE, frame_size=_BLOCK_SAMPLES
            )
            self._shape = shape
        frame.pts = None
        yield from self._pushed(frame)

    def _pushed(self, frame: AudioFrame | None) -> Iterator[NDArray[np.int16]]:
        if self._resampler is None:
            return
        try:
            for out in self._resampler.resample(frame):
                if out.samples:
                    yield out.to_ndarray().astype(np.int16, copy=False)
        except (av.FFmpegError, ValueError):
            self._damaged = True
