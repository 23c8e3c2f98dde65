"""Kokoro-FastAPI as an engine."""

import json
from collections.abc import AsyncGenerator
from typing import Final

import httpx
from pydantic import JsonValue

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.complete import Paces
from spark_audio_proxy.speaking.encoding import BYTES_A_SAMPLE, RATE
from spark_audio_proxy.speaking.engines import Manner, WholeSamples
from spark_audio_proxy.upstreams.asking import UpstreamHttp

SILENT_SECONDS: Final = 60.0
"""Without a byte for this long the server is given up."""
_MODEL: Final = "kokoro"


class Kokoro:
    """Speaks as raw samples; notices when it leaves something out."""

    def __init__(self, http: UpstreamHttp) -> None:
        self._http = http
        self._paces = Paces()

    @property
    def there(self) -> bool:
        """Whether the owner has one."""
        return self._http.there

    async def speak(self, text: str, manner: Manner) -> AsyncGenerator[bytes, None]:
        """Speak one piece; raises SpeechError, also after the first samples."""
        body: dict[str, JsonValue] = {
            **manner.extras,
            "model": _MODEL,
            "input": text,
            "voice": manner.voice,
            "speed": manner.speed,
            "response_format": "pcm",
            "stream": True,
        }
        whole, count = WholeSamples(), 0
        async with self._http.asked(
            "POST", "/v1/audio/speech", seconds=SILENT_SECONDS, json=body
        ) as answer:
            if answer.status_code != 200:
                raise refusal(answer.status_code, await _start_of(answer))
            async for data in answer.aiter_bytes():
                if samples := whole.of(data):
                    count += len(samples)
                    yield samples
        seconds = count / BYTES_A_SAMPLE / RATE
        if whole.broken or not self._paces.is_whole(text, manner.voice, manner.speed, seconds):
            raise SpeechError(
                "upstream_bad_response", "the voice server left out part of what it was to say"
            )


async def _start_of(answer: httpx.Response, most: int = 10_000) -> bytes:
    said = b""
    async for data in answer.aiter_bytes():
        said += data
        if len(said) >= most:
            break
    return said[:most]


def refusal(status: int, said: bytes) -> SpeechError:
    """Return what a refusal of Kokoro's means: ``{"detail": {"error", "message", "type"}}``."""
    message, word = _message(said)
    if status in (400, 404, 422):
        if "voice" in message.casefold() or "voice" in word:
            return SpeechError("unknown_voice", message or "no such voice", param="voice")
        return SpeechError("invalid_value", message or "the voice server refused the request")
    if status == 503:
        return SpeechError("upstream_loading", "the voice server is still starting")
    if status == 429:
        return SpeechError("queue_full", "the voice server has too much to say", retry_after=5)
    return SpeechError("upstream_bad_response", f"the voice server could not do it (HTTP {status})")


def _message(said: bytes) -> tuple[str, str]:
    try:
        detail = json.loads(said)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
    if isinstance(detail, dict):
        return _text(detail.get("message")), _text(detail.get("error"))
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        places = detail[0].get("loc")
        where = ".".join(map(str, places)) if isinstance(places, list) else ""
        return _text(f"{where}: {detail[0].get('msg', '')}"), where
    return _text(detail), ""


def _text(value: object) -> str:
    return value[:500] if isinstance(value, str) else ""
