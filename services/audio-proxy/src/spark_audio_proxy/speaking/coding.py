"""Sound through FFmpeg: into the forms that clients want, and from another rate into ours."""

from typing import Any, Final

import av
import numpy as np

from spark_audio_proxy.speaking.asked import Format
from spark_audio_proxy.speaking.encoding import RATE


class _Outlet:
    """A file that is only written to, and read away behind the pen."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        written, self._written = self._written, []
        return b"".join(written)


_CODECS: Final[dict[str, tuple[str, str, int | None, dict[str, str]]]] = {
    # Without the frame that tells lengths: nobody can go back to fill it in, and iOS believes it.
    "mp3": ("mp3", "libmp3lame", 64_000, {"write_xing": "0", "id3v2_version": "0"}),
    # Pages of a fifth of a second: the default of one second would hold the first sound back.
    "opus": ("ogg", "libopus", 48_000, {"page_duration": "200000"}),
    "aac": ("adts", "aac", 64_000, {}),
    "flac": ("flac", "flac", None, {}),
}
"""Container, codec, bits a second, options of the container."""
_OPUS_RATE: Final = 48_000


class Coded:
    """What FFmpeg makes of the samples."""

    def __init__(self, form: Format) -> None:
        container, codec, bits, options = _CODECS[form]
        self._outlet = _Outlet()
        self._container: Any = av.open(
            self._outlet, "w", format=container, options={**options, "flush_packets": "1"}
        )
        rate = _OPUS_RATE if form == "opus" else RATE
        settings = {"layout": "mono"} if bits is None else {"layout": "mono", "bit_rate": bits}
        self._stream: Any = self._container.add_stream(codec, rate=rate, **settings)
        self._at = 0

    def feed(self, samples: bytes) -> bytes:
        """Return what is ready; may be empty."""
        if samples:
            values = np.frombuffer(samples, dtype="<i2").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
            frame.sample_rate = RATE
            frame.pts = self._at
            self._at += frame.samples
            self._container.mux(self._stream.encode(frame))
        return self._outlet.taken()

    def finish(self) -> bytes:
        """Return the rest."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._outlet.taken()


class Resampler:
    """Samples of another rate as samples of ours."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)

    def feed(self, samples: bytes) -> bytes:
        """Return what is ready."""
        if not samples:
            return b""
        values = np.frombuffer(samples, dtype="<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
        frame.sample_rate = self._rate
        return _bytes(self._resampler.resample(frame))

    def finish(self) -> bytes:
        """Return the rest."""
        return _bytes(self._resampler.resample(None))


def _bytes(frames: list[Any]) -> bytes:
    return b"".join(frame.to_ndarray().astype("<i2").tobytes() for frame in frames)
