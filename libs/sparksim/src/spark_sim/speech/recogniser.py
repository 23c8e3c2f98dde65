"""What the speech server does with sound: words it knows, a GPU that breaks, a loop that blocks.

Real recognition needs a GPU. Sound whose samples are known comes back as its words; anything
else comes back as no words, so a server that is sent silence does not pass for one that works.
"""

import asyncio
import hashlib
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spark_sim.faults import Behaviour, Faults
from spark_sim.journal import Journal
from spark_sim.pace import Pace
from spark_sim.vllm_http.exchange import Exchange

PATH = "/v1/audio/transcriptions"
KNOWN = {
    "1d2388716c10cbbe18fe6330103e2f002a88b4bef79647591b15399032b8c19a": (
        "This is a short test of the speech service."
    ),
}
"""SHA-256 of samples (16 kHz, mono, 16 bit) -> what is said in them."""
CUDA = (
    "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be "
    "asynchronously reported at some other API call, so the stacktrace below might be incorrect."
)
_SPEED = 15.0
"""Times real time, as the README of the image says."""
_MOST_BYTES = 200 * 1024 * 1024
_NAME = re.compile(rb'\bname="([^"]*)"')


@dataclass
class Recogniser:
    """One process: what breaks in it stays broken until it is another one."""

    host: str
    journal: Journal
    pace: Pace
    write_log: Callable[[str], None]
    faults: Faults = field(default_factory=Faults)
    wedged: bool = False
    loop: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Its event loop: the handler blocks it, and nothing else is answered meanwhile."""

    def restart(self) -> None:
        """Be another process."""
        self.wedged = False
        self.loop = asyncio.Lock()

    async def answered(self, exchange: Exchange, status: str) -> bool:
        """Answer what is about sound; wait for the loop in any case."""
        if self.faults.behaviour is Behaviour.SPEECH_BUSY:
            async with self.loop:
                while self.faults.behaviour is Behaviour.SPEECH_BUSY:
                    await exchange.unless_gone(self.faults.changed.wait())
        async with self.loop:
            if exchange.path != PATH or exchange.method != "POST":
                return False
            await self._transcribe(exchange, status)
            return True

    async def _transcribe(self, exchange: Exchange, status: str) -> None:
        body = await exchange.body()
        if status != "ready":
            await exchange.reply_json({"detail": "Model is still loading"}, 503)
            return
        if len(body) > _MOST_BYTES:
            await exchange.reply_json({"detail": "File too large. Maximum: 200MB"}, 413)
            return
        fields = parts(exchange.headers.get("content-type", ""), body)
        if not fields.get("file"):
            await exchange.reply_json({"detail": "No file"}, 400)
            return
        if self.faults.behaviour is Behaviour.SPEECH_WEDGE and not self.wedged:
            self.wedged = True
            self.journal.add(self.host, "speech_wedged")
        if self.wedged:
            self.write_log(f"ERROR:app.main:Transcription failed: {CUDA}\n")
            await exchange.reply_json({"detail": f"Transcription failed: {CUDA}"}, 500)
            return
        if self.faults.behaviour is Behaviour.SPEECH_ERRORS:
            await exchange.reply_json({"detail": "Transcription failed: list index out of range"},
                                      500)  # fmt: skip
            return
        samples = samples_of(fields["file"])
        if samples is None:
            await exchange.reply_json({"detail": "Transcription failed: ffmpeg error"}, 500)
            return
        seconds = len(samples) / 2 / 16_000
        await self.pace.sleep(seconds / _SPEED)
        text = KNOWN.get(hashlib.sha256(samples).hexdigest(), "")
        self.journal.add(
            self.host, "transcribed", seconds=round(seconds, 2), words=len(text.split())
        )
        await exchange.reply_json(_result(text, seconds, fields.get("response_format", b"json")))


def _result(text: str, seconds: float, form: bytes) -> Any:
    if form in (b"text", b"srt", b"vtt"):
        # The image renders these as JSON too, quotes and all.
        return text
    if form != b"verbose_json":
        return {"text": text}
    words, each = text.split(), seconds / max(1, len(text.split()))
    segments = [
        {"start": round(n * each, 2), "end": round((n + 1) * each, 2), "text": word}
        for n, word in enumerate(words)
    ]
    return {"text": text, "language": "en", "duration": seconds, "segments": segments}


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the fields of a form by name; nothing where it is none."""
    _, found, boundary = content_type.partition("boundary=")
    if not found:
        return {}
    fields = {}
    for part in body.split(b"--" + boundary.strip('"').encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is not None:
            fields[name[1].decode("utf-8", "replace")] = content.removesuffix(b"\r\n")
    return fields


def samples_of(data: bytes) -> bytes | None:
    """Return the samples of a WAV of 16 kHz, mono, 16 bit; None for anything else."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, fits = 12, False
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            fits = len(body) >= 16 and struct.unpack_from("<HHIIHH", body)[:3] == (1, 1, 16_000)
        if name == b"data":
            return body if fits else None
        at += 8 + size + size % 2
    return None
