"""The voice of Kokoro on port 8880: it hums for as long as the words would take.

WAV and PCM only; the sizes in the head of a stream are placeholders, as with the real one.
"""

import json
import math
import struct
from array import array
from typing import Any

from spark_sim.faults import Behaviour, Faults
from spark_sim.pace import Pace
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send

PORT = 8880
_RATE = 24_000
_MODELS = ("kokoro", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
_VOICES = ("af_heart", "af_bella", "af_sky", "am_adam", "alloy", "echo", "nova")
_SECONDS_A_LETTER = 0.07
_UNKNOWN_SIZE = 0xFFFFFFFF


class VoiceServer:
    """The ASGI application."""

    def __init__(self, faults: Faults, pace: Pace) -> None:
        self._faults = faults
        self._pace = pace
        self.calls: list[str] = []
        """Paths that were asked, in order."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        self.calls.append(exchange.path)
        try:
            await self._answer(exchange)
        except ClientGoneError:
            return

    async def _answer(self, exchange: Exchange) -> None:
        match exchange.method, exchange.path:
            case "GET" | "HEAD", "/health":
                await exchange.reply_json({"status": "healthy"})
            case "GET", "/v1/audio/voices":
                voices = [{"id": name, "name": name} for name in _VOICES]
                await exchange.reply_json({"voices": voices})
            case "GET", "/v1/models":
                rows = [{"id": name, "object": "model", "owned_by": "kokoro"} for name in _MODELS]
                await exchange.reply_json({"object": "list", "data": rows})
            case "POST", "/v1/audio/speech":
                await self._speak(exchange)
            case _:
                await exchange.reply_json({"detail": "Not Found"}, 404)

    async def _speak(self, exchange: Exchange) -> None:
        try:
            body = json.loads(await exchange.body())
            text, voice = str(body["input"]), body.get("voice", "af_heart")
        except (ValueError, KeyError, TypeError, AttributeError):
            await exchange.reply_json({"detail": [{"type": "missing", "loc": ["body"]}]}, 422)
            return
        if body.get("model", "kokoro") not in _MODELS:
            await self._refuse(exchange, "invalid_model", f"Unsupported model: {body['model']}")
            return
        if not isinstance(voice, str) or voice.split("+")[0].split("(")[0] not in _VOICES:
            await self._refuse(exchange, "validation_error", f"Voice '{voice}' not found")
            return
        if self._faults.behaviour is Behaviour.VOICE_ERRORS:
            said = {"error": "processing_error", "message": "Inference failed",
                    "type": "server_error"}  # fmt: skip
            await exchange.reply_json({"detail": said}, 500)
            return
        loud = 0 if self._faults.behaviour is Behaviour.VOICE_SILENT else 7000
        count = max(1, round(len(text) * _SECONDS_A_LETTER * _RATE))
        samples = array("h", (round(loud * math.sin(n / 17)) for n in range(count))).tobytes()
        await self._pace.sleep(count / _RATE / 20)
        if body.get("response_format", "mp3") == "pcm":
            await exchange.reply(samples, "audio/pcm")
            return
        size = _UNKNOWN_SIZE if body.get("stream", True) else len(samples)
        await exchange.reply(_head(size) + samples, "audio/wav")

    async def _refuse(self, exchange: Exchange, error: str, message: str) -> None:
        detail = {"error": error, "message": message, "type": "invalid_request_error"}
        await exchange.reply_json({"detail": detail}, 400)


def _head(size: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    whole = min(_UNKNOWN_SIZE, size + 36)
    return (
        struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    )
