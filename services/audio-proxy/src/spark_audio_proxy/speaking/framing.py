"""How the sound is put into the body of an answer: as it is, or in server-sent events."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.asked import Format
from spark_audio_proxy.speaking.encoding import BYTES_A_SAMPLE, RATE, encoder_for
from spark_audio_proxy.speaking.wav import HEAD_BYTES, wav_head

_AT_ONCE: Final = RATE * BYTES_A_SAMPLE
"""Bytes of samples that are encoded at a time: a second, so that the first of it is out soon."""
_LETTERS_A_TOKEN: Final = 4
_TOKENS_A_SECOND: Final = 20.8
"""Of sound, as OpenAI's prices have it. Both are estimates: nothing here counts in tokens."""


async def encoded(samples: AsyncIterator[bytes], form: Format) -> AsyncGenerator[bytes, None]:
    """Yield bytes of the form while it is spoken. The loop stays free: FFmpeg works in a thread."""
    encoder = encoder_for(form)
    plain = form in ("pcm", "wav")
    async for more in samples:
        for at in range(0, len(more), _AT_ONCE):
            part = more[at : at + _AT_ONCE]
            ready = encoder.feed(part) if plain else await asyncio.to_thread(encoder.feed, part)
            if ready:
                yield ready
    if rest := encoder.finish():
        yield rest


def sized(form: Format, whole: bytes) -> bytes:
    """Return an answer that is there to its end with its true sizes in its head."""
    if form != "wav":
        return whole
    return wav_head(len(whole) - HEAD_BYTES, RATE) + whole[HEAD_BYTES:]


async def as_events(
    sound: AsyncIterator[bytes], text: str, seconds: "Seconds"
) -> AsyncGenerator[bytes, None]:
    """Yield the events of OpenAI's ``stream_format=sse``.

    Where the sound ends too early there is an event that says so, and then the error itself.
    """
    try:
        async for data in sound:
            yield _event(
                {"type": "speech.audio.delta", "audio": base64.b64encode(data).decode("ascii")}
            )
    except SpeechError as error:
        yield _event({"error": {"message": error.message, "type": "server_error", "param": None,
                                "code": error.code}})  # fmt: skip
        raise
    asked = -(-len(text) // _LETTERS_A_TOKEN)
    spoken = round(seconds.spoken * _TOKENS_A_SECOND)
    usage = {"input_tokens": asked, "output_tokens": spoken, "total_tokens": asked + spoken}
    yield _event({"type": "speech.audio.done", "usage": usage})


class Seconds:
    """Counts the sound that passes by."""

    def __init__(self) -> None:
        self._bytes = 0

    @property
    def spoken(self) -> float:
        """Seconds so far."""
        return self._bytes / BYTES_A_SAMPLE / RATE

    async def of(self, samples: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass samples on."""
        async for more in samples:
            self._bytes += len(more)
            yield more


def _event(what: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(what, separators=(",", ":")).encode() + b"\n\n"
