"""The Magpie NIM as an engine: forms in, samples of its own rate out."""

from collections.abc import AsyncGenerator
from typing import Final
from xml.sax.saxutils import escape

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.complete import Paces
from spark_audio_proxy.speaking.encoding import BYTES_A_SAMPLE
from spark_audio_proxy.speaking.engines import Manner, WholeSamples
from spark_audio_proxy.speaking.kokoro import SILENT_SECONDS
from spark_audio_proxy.speaking.refusing import refusal_of_magpie
from spark_audio_proxy.speaking.voices import magpie_language
from spark_audio_proxy.upstreams.asking import UpstreamHttp

_RATE: Final = 22_050
"""The one it works at."""
_SLOWEST, _FASTEST = 25, 250
"""Percent that its ``prosody`` knows."""


class Magpie:
    """Speaks through ``synthesize_online``, which gives samples without a head."""

    def __init__(self, http: UpstreamHttp) -> None:
        self._http = http
        self._paces = Paces()

    @property
    def there(self) -> bool:
        """Whether the owner has one."""
        return self._http.there

    async def speak(self, text: str, manner: Manner) -> AsyncGenerator[bytes, None]:
        """Speak one piece; raises SpeechError, also after the first samples."""
        form = {
            "text": ssml(text, manner.speed),
            "language": magpie_language(manner.voice),
            "voice": manner.voice,
            "sample_rate_hz": str(_RATE),
            "encoding": "LINEAR_PCM",
        }
        # As in encoding.py: FFmpeg is read by whoever speaks.
        from spark_audio_proxy.speaking.coding import Resampler

        whole, count, resampled = WholeSamples(), 0, Resampler(_RATE)
        async with self._http.asked(
            "POST",
            "/v1/audio/synthesize_online",
            seconds=SILENT_SECONDS,
            # As a form of files: it takes no other kind.
            files={name: (None, value) for name, value in form.items()},
        ) as answer:
            if answer.status_code != 200:
                raise refusal_of_magpie(answer.status_code)
            async for data in answer.aiter_bytes():
                samples = whole.of(data)
                count += len(samples)
                if ready := resampled.feed(samples):
                    yield ready
        seconds = count / BYTES_A_SAMPLE / _RATE
        if whole.broken or not self._paces.is_whole(text, manner.voice, manner.speed, seconds):
            raise SpeechError(
                "upstream_bad_response", "the voice server left out part of what it was to say"
            )
        yield resampled.finish()


def ssml(text: str, speed: float) -> str:
    """Return the text, as SSML only where the speed asks for it, or the text looks like some."""
    percent = round(min(_FASTEST, max(_SLOWEST, speed * 100)))
    if percent == 100 and "<speak" not in text.casefold():
        return text
    return f'<speak><prosody rate="{percent}%">{escape(text)}</prosody></speak>'
