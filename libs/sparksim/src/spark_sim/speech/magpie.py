"""Text to speech as the older Magpie NIM does it: forms go in, samples without a head come out."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spark_sim.pace import Pace
from spark_sim.speakclock.bands import BANDS
from spark_sim.speech.forms import read_form
from spark_sim.speech.records import Note
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send

if TYPE_CHECKING:
    from spark_sim.speakclock.tones import Samples

PORT = 9000
MOST_LETTERS = 2000
_LANGUAGES = ("en-US", "es-US", "fr-FR", "de-DE", "zh-CN")
_NAMES = ("Aria", "Diego", "Isabela", "Jason", "Leo", "Louise", "Mia", "Pascal", "Sofia")
_MOODS = ("Angry", "Calm", "Happy", "Neutral")
VOICES = tuple(
    f"Magpie-Multilingual.{language.upper()}.{name}{mood}"
    for language in _LANGUAGES
    for name in _NAMES
    for mood in ("", *(f".{mood}" for mood in _MOODS))
)
_TAG = re.compile(r"<[^>]*>")
_BARE = re.compile(r"<(?!/?[a-zA-Z])|&(?!\w+;|#)")
_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_SPEED = 10.0


@dataclass
class MagpieRecords:
    """What was asked of it: the fields of each form."""

    asked: list[dict[str, str]] = field(default_factory=list)


class Magpie:
    """The ASGI application."""

    def __init__(self, pace: Pace, note: Note) -> None:
        self.ready = True
        """False while it initialises: 503."""
        self.records = MagpieRecords()
        self._pace = pace
        self._note = note

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._answer(exchange)
        except ClientGoneError:
            return

    async def _answer(self, exchange: Exchange) -> None:
        match exchange.method, exchange.path:
            case "GET", "/v1/health/live":
                await self._say(exchange, "Service is live.")
            case "GET", "/v1/health/ready":
                said = "Service is ready." if self.ready else "Service is not ready."
                await self._say(exchange, said, 200 if self.ready else 503)
            case _ if not self.ready:
                error = {"error": {"message": "Service is initializing", "code": 503}}
                await exchange.reply_json(error, 503)
            case "GET", "/v1/audio/list_voices":
                listed = {",".join(_LANGUAGES): {"voices": VOICES}}
                await exchange.reply_json(listed)
            case "POST", "/v1/audio/synthesize" | "/v1/audio/synthesize_online":
                await self._speak(exchange)
            case _:
                await exchange.reply_json({"object": "error", "message": "Not Found"}, 404)

    async def _say(self, exchange: Exchange, message: str, status: int = 200) -> None:
        await exchange.reply_json({"object": "health.response", "message": message}, status)

    async def _speak(self, exchange: Exchange) -> None:
        body = await exchange.body()
        form = read_form(exchange.headers.get("content-type", ""), body)
        fields = {} if form is None else {name: form.text(name) for name in form.values}
        self.records.asked.append(fields)
        if (problem := _problem(fields)) is not None or form is None:
            await exchange.reply_json({"error": f"Bad Request, {problem}"}, 400)
            return
        rate = int(fields.get("sample_rate_hz") or 22_050)
        voice = fields.get("voice") or VOICES[0]
        self._note("spoke", voice=voice, letters=len(fields["text"]))
        pieces = self._said(html.unescape(_TAG.sub(" ", fields["text"])), band_of(voice), rate)
        if exchange.path.endswith("_online"):
            await exchange.reply_pieces(pieces, "application/octet-stream")
            return
        samples = b"".join([piece async for piece in pieces])
        ogg = fields.get("encoding") == "OGGOPUS"
        whole = await asyncio.to_thread(_contained, samples, rate, ogg=ogg)
        await exchange.reply(whole, "audio/ogg" if ogg else "audio/wav")

    async def _said(self, text: str, band: int, rate: int) -> AsyncIterator[bytes]:
        from spark_sim.speech.speaking import pcm_of, sentences, spoken

        band %= 4 if rate < 16_000 else BANDS
        for sentence in sentences(text):
            said = await asyncio.to_thread(spoken, sentence, band, rate)
            await self._pace.sleep(len(said.samples) / rate / _SPEED)
            yield pcm_of(said.samples)


def band_of(voice: str) -> int:
    """Return the band in which a voice speaks: moods and languages of one speaker share it."""
    return _NAMES.index(voice.split(".")[2]) % BANDS


def _problem(fields: dict[str, str]) -> str | None:
    """Return what is wrong with a form; None where nothing is."""
    text, voice = fields.get("text", ""), fields.get("voice") or VOICES[0]
    if not text:
        return "empty text input"
    if len(text) > MOST_LETTERS:
        return f"input text is longer than {MOST_LETTERS} characters"
    if "<speak" in text and _BARE.search(text):
        return "SSML is not well formed"
    if voice not in VOICES:
        return f"voice {voice} not found"
    if (fields.get("language") or "en-US") not in _LANGUAGES:
        return f"language {fields['language']} is not supported"
    if fields.get("encoding", "LINEAR_PCM") not in ("LINEAR_PCM", "OGGOPUS"):
        return f"encoding {fields['encoding']} is not supported"
    if (fields.get("sample_rate_hz") or "22050") not in map(str, _RATES):
        return f"sample rate {fields['sample_rate_hz']} is not supported"
    return None


def _contained(samples: bytes, rate: int, *, ogg: bool) -> bytes:
    import numpy as np

    from spark_sim.speakclock.sound_files import Kind, encoded

    sound: Samples = np.frombuffer(samples, "<i2").astype(np.float32) / np.float32(32_767)
    return encoded(Kind.OPUS if ogg else Kind.WAV, sound, source_rate=rate)
