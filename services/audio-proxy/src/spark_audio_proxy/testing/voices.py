"""Kokoro and Magpie without a model: every letter is a short stretch of sound of its own value.

So whatever comes out of the proxy can be read again, letter by letter.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any, Final, Literal

import numpy as np
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LETTER_SAMPLES: Final = 1_200
"""50 ms at 24 kHz."""
_LOUDER: Final = 128
VOICES: Final = ("af_heart", "af_bella", "af_sky", "af_alloy", "am_adam", "bm_george", "ff_siwis")
MAGPIES: Final = (
    "Magpie-Multilingual.EN-US.Aria",
    "Magpie-Multilingual.EN-US.Aria.Happy",
    "Magpie-Multilingual.FR-FR.Pascal",
)

Fault = Literal["error", "cut", "ends_early", "swallows", "half_a_sample", "waits", "loading"]


def letters_in(samples: bytes, letter_samples: int = LETTER_SAMPLES) -> str:
    """Read what was spoken."""
    values = np.frombuffer(samples, dtype="<i2")[letter_samples // 2 :: letter_samples]
    return "".join(chr(round(value / _LOUDER)) for value in values)


@dataclass
class VoiceStand:
    """The servers, with what they may suffer. Texts must be ASCII."""

    fault: Fault | None = None
    fault_at: str = ""
    """The fault meets pieces in which this occurs."""
    voices: tuple[str, ...] = VOICES
    as_names: bool = False
    """Tell of voices as older images do."""
    silent: bool = False
    """Answer nothing but errors."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    left: int = 0
    """Callers that went away in the middle."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def kokoro(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as Kokoro."""
        request = Request(scope, receive)
        answer: ASGIApp = JSONResponse({"detail": "Not Found"}, 404)
        if self.silent:
            answer = Response("broken", 500)
        elif request.url.path == "/v1/audio/voices":
            told: list[Any] = [{"id": name, "name": name} for name in self.voices]
            answer = JSONResponse({"voices": list(self.voices) if self.as_names else told})
        elif request.url.path == "/v1/audio/speech":
            body = await request.json()
            self.asked.append(body)
            answer = self._kokoro_says(body)
        await answer(scope, receive, send)

    async def magpie(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as Magpie."""
        request = Request(scope, receive)
        answer: ASGIApp = JSONResponse({"detail": "Not Found"}, 404)
        if request.url.path == "/v1/audio/list_voices":
            answer = JSONResponse({"en-US,fr-FR": {"voices": list(MAGPIES)}})
        elif request.url.path == "/v1/audio/synthesize_online":
            form = _form(request.headers["content-type"], await request.body())
            self.asked.append(form)
            text = re.sub(r"<[^>]+>", "", form["text"])
            answer = StreamingResponse(self._spoken(text, int(form["sample_rate_hz"]) // 20))
        await answer(scope, receive, send)

    def _kokoro_says(self, body: dict[str, Any]) -> Response:
        names = re.split(r"[+-]", re.sub(r"\([^)]*\)", "", body["voice"]))
        unknown = [name for name in names if name not in self.voices]
        if body["model"] != "kokoro" or body["response_format"] != "pcm" or unknown:
            said = {"error": "validation_error", "message": f"Voice '{unknown}' not found"}
            return JSONResponse({"detail": said}, 400)
        if self._meets(body["input"], "error"):
            said = {"error": "processing_error", "message": "CUDA error", "type": "server_error"}
            return JSONResponse({"detail": said}, 500)
        if self._meets(body["input"], "loading"):
            return JSONResponse({"detail": "starting"}, 503)
        return StreamingResponse(self._spoken(body["input"], LETTER_SAMPLES), 200)

    def _meets(self, text: str, fault: Fault) -> bool:
        return self.fault == fault and self.fault_at in text

    async def _spoken(self, text: str, letter_samples: int) -> AsyncIterator[bytes]:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            sound = np.repeat(
                np.array([ord(each) * _LOUDER for each in text], dtype="<i2"), letter_samples
            ).tobytes()
            if self._meets(text, "swallows"):
                return
            if self._meets(text, "half_a_sample"):
                sound = sound[:-1]
            for at in range(0, len(sound), 30_001):
                if at > len(sound) / 3 and self._meets(text, "cut"):
                    raise BrokenPipeError
                if at > len(sound) / 3 and self._meets(text, "ends_early"):
                    return
                yield sound[at : at + 30_001]
                if self._meets(text, "waits"):
                    await self.go_on.wait()
        except (asyncio.CancelledError, GeneratorExit, ClientDisconnect):
            self.left += 1
            raise
        finally:
            self.running -= 1


def _form(content_type: str, body: bytes) -> dict[str, str]:
    parsed = BytesParser().parsebytes(
        b"content-type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    parts: Any = parsed.get_payload()
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()
        for part in parts
    }


def question(text: str, **more: Any) -> str:
    """Return the body of a request for speech."""
    return json.dumps({"input": text, **more})
