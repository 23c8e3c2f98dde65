"""What speaks: one piece of text at a time, as samples."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from spark_audio_proxy.speaking.encoding import BYTES_A_SAMPLE


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak."""

    voice: str
    """As the engine calls it."""
    speed: float = 1.0
    extras: Mapping[str, JsonValue] = field(default_factory=dict)


class Engine(Protocol):
    """A server that speaks."""

    @property
    def there(self) -> bool:
        """Whether the owner has one."""
        ...

    def speak(self, text: str, manner: Manner) -> AsyncGenerator[bytes, None]:
        """Yield the samples of a piece (24 kHz, mono, 16 bit), whole ones, as they are made.

        Raises SpeechError: a code of the caller's (``unknown_voice``), or one of the server's.
        Closing the iterator ends the call.
        """
        ...


class WholeSamples:
    """Cuts a stream of bytes between samples."""

    def __init__(self) -> None:
        self._rest = b""

    def of(self, data: bytes) -> bytes:
        """Return what is whole of everything so far and was not returned."""
        data = self._rest + data
        whole = len(data) - len(data) % BYTES_A_SAMPLE
        self._rest = data[whole:]
        return data[:whole]

    @property
    def broken(self) -> bool:
        """Whether the end is within a sample: then it is no end."""
        return bool(self._rest)
