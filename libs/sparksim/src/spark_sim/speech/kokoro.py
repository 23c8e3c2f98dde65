"""Text to speech as Kokoro-FastAPI 0.8 does it: its routes, refusals and peculiarities.

It says the words of the speaking clock in the band of the voice, so what it said can be heard
again. Headers come at once, sound comes sentence by sentence.
"""

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from spark_sim.faults import Behaviour, Faults
from spark_sim.pace import Pace
from spark_sim.speech.kokoro_requests import InvalidError, SpeechRequest, refused, validated
from spark_sim.speech.kokoro_voices import MODELS, VOICES, band_of
from spark_sim.speech.records import Note
from spark_sim.speech.switches import turn_back
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send, compact

if TYPE_CHECKING:
    from spark_sim.speech.speaking import Encoder, Spoken

PORT = 8880
RATE = 24_000
_SPEED = 20.0
"""Times real time."""
_KEPT = 20_000
_TYPES = {"mp3": "audio/mpeg"}
_TOLD_MODELS = MODELS[:3]
"""Of the four it lists, those that it also tells one by one."""


class VoicesAs(StrEnum):
    """How voices are listed."""

    DICTS = "dicts"
    STRINGS = "strings"


class Stops(StrEnum):
    """How an answer ends in the middle."""

    CLEANLY = "cleanly"
    CUT = "cut"


@dataclass
class KokoroSwitches:
    """All is well by default."""

    voices_as: VoicesAs = VoicesAs.DICTS
    """Older images list voices as strings."""
    first_byte_seconds: float = 0.3
    stops_after: int = -1
    """After so many sentences an answer ends in the middle; not at all below 0."""
    stops: Stops = Stops.CLEANLY
    """As a whole answer ends, or with its connection."""


@dataclass
class KokoroRecords:
    """What was asked of it."""

    asked: deque[SpeechRequest] = field(default_factory=lambda: deque(maxlen=_KEPT))
    sentences: int = 0
    """That were said, to callers who stayed."""
    left: int = 0
    """Callers who went before their answer was whole."""
    most_at_once: int = 0

    def clear(self) -> None:
        """Forget everything."""
        self.asked.clear()
        self.sentences = self.left = self.most_at_once = 0

    def told(self) -> dict[str, object]:
        """Return them as JSON has them."""
        return {**vars(self), "asked": [asdict(request) for request in self.asked]}


class _CutError(Exception):
    """The connection ends in the middle of an answer."""


class Kokoro:
    """The ASGI application."""

    def __init__(self, pace: Pace, note: Note) -> None:
        self.faults = Faults()
        """Of the host."""
        self.switches = KokoroSwitches()
        self.records = KokoroRecords()
        self.calls: deque[str] = deque(maxlen=1000)
        """Paths that were asked lately, in order."""
        self._pace = pace
        self._note = note
        self._inside = 0

    def forget(self) -> None:
        """Turn every switch back and forget what was asked."""
        turn_back(self.switches)
        self.records.clear()
        self.calls.clear()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        self.calls.append(exchange.path)
        self._inside += 1
        try:
            await self._answer(exchange, query)
        except (ClientGoneError, _CutError):
            return
        except InvalidError as error:
            await exchange.reply_json({"detail": error.detail}, error.status)
        finally:
            self._inside -= 1

    async def _answer(self, exchange: Exchange, query: dict[str, list[str]]) -> None:
        match exchange.method, exchange.path:
            case "GET" | "HEAD", "/health":
                await exchange.reply_json({"status": "healthy"})
            case "GET", "/v1/test":
                await exchange.reply_json({"status": "ok"})
            case "GET", "/v1/audio/voices":
                strings = self.switches.voices_as == "strings" or query.get("legacy") == ["true"]
                rows = VOICES if strings else [{"id": name, "name": name} for name in VOICES]
                await exchange.reply_json({"voices": rows})
            case "GET", "/v1/models":
                await exchange.reply_json({"object": "list", "data": [_model(m) for m in MODELS]})
            case "GET", path if path.startswith("/v1/models/"):
                await self._tell_model(exchange, path.removeprefix("/v1/models/"))
            case "POST", "/v1/audio/voices/combine":
                said = "Local voice saving is disabled"
                detail = {"error": "permission_denied", "message": said, "type": "permission_error"}
                await exchange.reply_json({"detail": detail}, 403)
            case "POST", "/v1/audio/speech":
                await self._speak(exchange, captioned=False)
            case "POST", "/dev/captioned_speech":
                await self._speak(exchange, captioned=True)
            case _:
                await exchange.reply_json({"detail": "Not Found"}, 404)

    async def _tell_model(self, exchange: Exchange, name: str) -> None:
        if name not in _TOLD_MODELS:
            raise refused("model_not_found", f"Model '{name}' not found", 404)
        await exchange.reply_json(_model(name))

    async def _speak(self, exchange: Exchange, *, captioned: bool) -> None:
        request = validated(await exchange.body(), captioned=captioned)
        if not captioned and request.model not in MODELS:
            raise refused("invalid_model", f"Unsupported model: {request.model}")
        try:
            band = band_of(request.voice)
        except ValueError as error:
            raise refused("validation_error", str(error)) from error
        if self.faults.behaviour is Behaviour.VOICE_ERRORS:
            raise refused("processing_error", "Inference failed", 500, "server_error")
        self.records.asked.append(request)
        self.records.most_at_once = max(self.records.most_at_once, self._inside)
        pieces = self._said(request, band, captioned=captioned)
        kind = _TYPES.get(request.form, f"audio/{request.form}")
        if captioned:
            kind = "application/json"
        headers = {
            "Content_Disposition": f"attachment; filename=speech.{request.form}",
            "Cache_Control": "no-cache",
        }
        if request.stream:
            await self._poured(exchange, pieces, kind, X_Accel_Buffering="no", **headers)
            return
        whole = b"".join([piece async for piece in pieces])
        await exchange.reply(whole, kind, 200, **headers)

    async def _poured(
        self, exchange: Exchange, pieces: AsyncIterator[bytes], kind: str, **headers: str
    ) -> None:
        try:
            await exchange.reply_pieces(pieces, kind, **headers)
        except ClientGoneError:
            self.records.left += 1
            raise

    async def _said(
        self, request: SpeechRequest, band: int, *, captioned: bool
    ) -> AsyncIterator[bytes]:
        """Yield the answer, sentence by sentence."""
        speaking = await asyncio.to_thread(_speaking)
        encoder: Encoder = speaking.Encoder(request.form, RATE, streamed=request.stream)
        level = 0.0 if self.faults.behaviour is Behaviour.VOICE_SILENT else speaking.LEVEL
        level = min(0.9, level * request.volume)
        seconds = 0.0
        await self._pace.sleep(self.switches.first_byte_seconds)
        captions: list[dict[str, object]] = []
        whole: list[bytes] = []
        for number, sentence in enumerate(speaking.sentences(request.input)):
            if 0 <= self.switches.stops_after <= number:
                if not request.stream:
                    raise refused("processing_error", "Inference failed", 500, "server_error")
                if self.switches.stops == "cut":
                    raise _CutError
                return
            said: Spoken = await asyncio.to_thread(
                speaking.spoken, sentence, band, RATE, speed=request.speed, level=level
            )
            length = len(said.samples) / RATE
            await self._pace.sleep(length / _SPEED)
            piece = await asyncio.to_thread(encoder.feed, said.samples)
            self.records.sentences += 1
            captions += [
                {"word": word, "start_time": round(seconds + start, 3),
                 "end_time": round(seconds + end, 3)}
                for word, start, end in said.words
            ]  # fmt: skip
            seconds += length
            if not captioned:
                yield piece
            elif request.stream and piece:
                yield _caption(piece, request.form, captions) + b"\n"
                captions = []
            else:
                whole.append(piece)
        rest = encoder.finish()
        self._note("spoke", seconds=round(seconds, 2), voice=request.voice, format=request.form)
        if not captioned:
            yield rest
        elif request.stream:
            yield _caption(rest, request.form, captions) + b"\n"
        else:
            yield _caption(b"".join(whole) + rest, request.form, captions)


def _caption(audio: bytes, form: str, captions: list[dict[str, object]]) -> bytes:
    row = {
        "audio": base64.b64encode(audio).decode(),
        "audio_format": _TYPES.get(form, f"audio/{form}"),
        "timestamps": captions,
    }
    return compact(row).encode()


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 1_686_935_002, "owned_by": "kokoro"}


def _speaking() -> Any:
    from spark_sim.speech import speaking

    return speaking
