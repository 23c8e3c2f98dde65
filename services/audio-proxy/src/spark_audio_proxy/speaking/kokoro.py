"""Kokoro-FastAPI as an engine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Final

import httpx
from pydantic import JsonValue

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.captions import Caption, Lines, left_out
from spark_audio_proxy.speaking.complete import Paces
from spark_audio_proxy.speaking.encoding import BYTES_A_SAMPLE, RATE
from spark_audio_proxy.speaking.engines import Manner, WholeSamples
from spark_audio_proxy.speaking.refusing import refusal_of_kokoro
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.clock import Clock

SILENT_SECONDS: Final = 60.0
"""Without a byte for this long the server is given up."""
_MODEL: Final = "kokoro"
_CAPTIONED: Final = "/dev/captioned_speech"
_PLAIN: Final = "/v1/audio/speech"
_NOT_THERE: Final = frozenset((403, 404, 405, 501))
_PLAIN_SECONDS: Final = 600.0
"""So long a server without captions is not asked for them again."""


class Kokoro:
    """Speaks as raw samples; notices when something is left out.

    An error within a piece is swallowed by Kokoro, which ends its answer as if that were all. So
    it is asked for captions, and the length of the sound is compared with that of the text.
    """

    def __init__(self, http: UpstreamHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._paces = Paces()
        self._plain_until = float("-inf")
        self._plain_base: str | None = None

    @property
    def there(self) -> bool:
        """Whether the owner has one."""
        return self._http.there

    async def speak(self, text: str, manner: Manner) -> AsyncGenerator[bytes, None]:
        """Speak one piece; raises SpeechError, also after the first samples."""
        whole, count, captions = WholeSamples(), 0, list[Caption]()
        async for data, told in self._answer(text, manner):
            captions += told
            if samples := whole.of(data):
                count += len(samples)
                yield samples
        seconds = count / BYTES_A_SAMPLE / RATE
        if (
            whole.broken
            or left_out(text, captions, seconds)
            or not self._paces.is_whole(text, manner.voice, manner.speed, seconds)
        ):
            raise SpeechError(
                "upstream_bad_response", "the voice server left out part of what it was to say"
            )

    async def _answer(
        self, text: str, manner: Manner
    ) -> AsyncGenerator[tuple[bytes, tuple[Caption, ...]], None]:
        """Yield the sound and what is said in it, as far as the server tells."""
        body: dict[str, JsonValue] = {
            **manner.extras,
            "model": _MODEL,
            "input": text,
            "voice": manner.voice,
            "speed": manner.speed,
            "response_format": "pcm",
            "stream": True,
        }
        if self._has_captions():
            more: dict[str, JsonValue] = {**body, "return_timestamps": True}
            async with self._asked(_CAPTIONED, more) as answer:
                if answer.status_code not in _NOT_THERE:
                    await _require(answer)
                    lines = Lines()
                    async for data in answer.aiter_bytes():
                        for line in lines.of(data):
                            yield line.samples, line.captions
                    for line in lines.last():
                        yield line.samples, line.captions
                    return
            self._plain_until = self._clock.monotonic() + _PLAIN_SECONDS
            self._plain_base = self._http.base
        async with self._asked(_PLAIN, body) as answer:
            await _require(answer)
            async for data in answer.aiter_bytes():
                yield data, ()

    def _asked(
        self, path: str, body: dict[str, JsonValue]
    ) -> AbstractAsyncContextManager[httpx.Response]:
        return self._http.asked("POST", path, seconds=SILENT_SECONDS, json=body)

    def _has_captions(self) -> bool:
        another = self._http.base != self._plain_base
        return another or self._clock.monotonic() >= self._plain_until


async def _require(answer: httpx.Response, most: int = 10_000) -> None:
    """Raise SpeechError unless the answer is sound."""
    if answer.status_code == 200:
        return
    said = b""
    async for data in answer.aiter_bytes():
        said += data
        if len(said) >= most:
            break
    raise refusal_of_kokoro(answer.status_code, said[:most])
