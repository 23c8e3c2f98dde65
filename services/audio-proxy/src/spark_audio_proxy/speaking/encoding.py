"""Sound in the form the caller wants, made while it is spoken."""

from typing import Final, Protocol

from spark_audio_proxy.speaking.asked import Format
from spark_audio_proxy.speaking.wav import STREAMED, wav_head

RATE: Final = 24_000
"""Samples a second of everything that is spoken here; OpenAI's pcm has as many."""
BYTES_A_SAMPLE: Final = 2
MEDIA_TYPES: Final[dict[Format, str]] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


class Encoder(Protocol):
    """Takes samples (24 kHz, mono, 16 bit little endian) and gives bytes of the form."""

    def feed(self, samples: bytes) -> bytes:
        """Return what is ready; may be empty. ``samples`` are whole ones."""
        ...

    def finish(self) -> bytes:
        """Return the rest."""
        ...


def encoder_for(form: Format) -> Encoder:
    """Return a new one for one answer."""
    if form == "pcm":
        return _Plain(b"")
    if form == "wav":
        return _Plain(wav_head(STREAMED, RATE))
    # FFmpeg is read by whoever speaks, not at the start of every process.
    from spark_audio_proxy.speaking.coding import Coded

    return Coded(form)


class _Plain:
    """The samples themselves, behind a head."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def feed(self, samples: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + samples

    def finish(self) -> bytes:
        return self.feed(b"")
