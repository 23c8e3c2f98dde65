"""Text as sound of the speaking clock: sentence by sentence, in the formats of the speech servers.

Brings NumPy and PyAV along, so it is imported when there is something to say.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spark_sim.speakclock.sound_files import Kind, Writer
from spark_sim.speakclock.tones import LEVEL, MOST_BYTES, Samples, bytes_of, sound_of

KINDS = {
    "mp3": Kind.MP3,
    "opus": Kind.OPUS,
    "aac": Kind.AAC,
    "flac": Kind.FLAC,
    "wav": Kind.WAV,
    "m4a": Kind.M4A,
}
"""Formats by their name in the API; ``pcm`` has no container."""
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*[\"')\]]*|[.!?]+")
_MOST_LETTERS = 400
_WORD_PAUSE, _SENTENCE_PAUSE = 0.04, 0.2


@dataclass(frozen=True)
class Spoken:
    """A sentence as sound; ``words`` are (word, start, end) in seconds from its beginning."""

    samples: Samples
    words: tuple[tuple[str, float, float], ...]


def sentences(text: str) -> Iterator[str]:
    """Yield what is said in one go: a sentence, or as much of it as is computed at once."""
    for found in _SENTENCE.finditer(text):
        line = ""
        for word in found[0].split():
            if line and len(line) + len(word) > _MOST_LETTERS:
                yield line
                line = ""
            line = f"{line} {word}".strip()
        if line:
            yield line


def spoken(text: str, band: int, rate: int, *, speed: float = 1.0, level: float = LEVEL) -> Spoken:
    """Say a sentence. ``speed`` is that of the pauses: tones cannot be hurried."""
    pieces: list[Samples] = []
    words: list[tuple[str, float, float]] = []
    at = 0
    for word in text.split():
        for part in _parts(word):
            sound = sound_of(part, band, level, rate)
            pause = np.zeros(round(_WORD_PAUSE / speed * rate), np.float32)
            words.append((part, at / rate, (at + len(sound)) / rate))
            pieces += [sound, pause]
            at += len(sound) + len(pause)
    pieces.append(np.zeros(round(_SENTENCE_PAUSE / speed * rate), np.float32))
    return Spoken(np.concatenate(pieces), tuple(words))


def pcm_of(samples: Samples) -> bytes:
    """Return samples as 16 bit, little endian."""
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


class Encoder:
    """Encodes sentence by sentence: what ``feed`` returns can be sent at once."""

    def __init__(self, form: str, rate: int, *, streamed: bool) -> None:
        """``streamed`` writes sizes that are not known yet as placeholders."""
        self._sink = io.BytesIO()
        self._streamed = streamed
        self._writer: Writer | None = None
        if form != "pcm":
            own = None if form in ("opus", "m4a") else rate
            self._writer = Writer(
                self._sink, KINDS[form], rate=own, source_rate=rate, piped=streamed
            )

    def feed(self, samples: Samples) -> bytes:
        """Return what is ready after so much more sound."""
        if self._writer is None:
            return pcm_of(samples)
        self._writer.feed(samples)
        return self._taken() if self._streamed else b""

    def finish(self) -> bytes:
        """Return what is left."""
        if self._writer is None:
            return b""
        self._writer.finish()
        return self._taken()

    def _taken(self) -> bytes:
        taken = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return taken


def _parts(word: str) -> Iterator[str]:
    """Yield a word, in pieces where it is too long to be said at once."""
    while word:
        part = bytes_of(word).decode() if len(word.encode()) > MOST_BYTES else word
        yield part
        word = word[len(part) :]
