"""The speech container's server: transcription, and who speaks when.

Started by the image as ``uvicorn app.main:app`` in ``/opt/parakeet``. The event loop does nothing
that takes time: uploads go to disk in threads, ffmpeg runs in threads, and one thread owns the
GPU, so that ``/health`` answers whatever the models do. What was said is in no log.

long because: the image runs this file, and the overlay is this one and ``diarizer.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.message
import email.parser
import hashlib
import io
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
import traceback
import wave
from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

if __package__:
    from .diarizer import RATE, Diarizer, load_model, write_wav
else:
    from diarizer import RATE, Diarizer, load_model, write_wav

SPOOL = "parakeet-upload-"
ALIAS = "whisper-1"
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_TELL_GONE_SECONDS = 0.5
_BODY_SPARE_BYTES = 1_000_000
"""What the form around a file may take."""
_FIELD_BYTES = 65_536
_HEAD_BYTES = 16_384
_PIECE_BYTES = 1 << 20
_PARTS = 64
# Containers that can name other files (playlists, scripts) are not among them.
_DEMUXERS = "wav,w64,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,3gp,aac,amr,aiff,caf,asf,au"
_OUT_OF_MEMORY = re.compile(r"out of memory", re.IGNORECASE)
# As libraries write it: a tensor that is only on the wrong device says "cuda:0".
_GPU_LOST = re.compile(
    r"CUDA (?:error|driver error|failure)|cudaError|(?:CUBLAS|CUFFT|CUDNN|CUSOLVER)_"
    r"|cu(?:BLAS|FFT|DNN)\b|illegal memory access|device-side assert"
)
_log = logging.getLogger("parakeet")


# --- settings ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """What the environment says; what is blank or no number is as by default."""

    model: str = "nvidia/parakeet-tdt-0.6b-v3"
    diarizer: str = "nvidia/diar_streaming_sortformer_4spk-v2"
    """Empty: no diarizer."""
    speaker_model: str = "nvidia/speakerverification_en_titanet_large"
    max_upload_mb: float = 200.0
    max_audio_seconds: float = 14_400.0
    max_diarize_seconds: float = 600.0
    """Of one call; longer recordings come in chunks."""
    max_segment_seconds: float = 1_200.0
    """Of one run of the transcription model."""
    max_requests: float = 32.0
    """That may be inside at once, waiting ones included."""
    upload_seconds: float = 900.0
    idle_seconds: float = 30.0
    """Without a byte of an upload."""
    decode_seconds: float = 300.0

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read ``PARAKEET_MODEL``, ``DIARIZER_MODEL``, ``SPEAKER_MODEL``, ``MAX_UPLOAD_MB`` ..."""
        names = {
            "model": "PARAKEET_MODEL",
            "speaker_model": "SPEAKER_MODEL",
        }
        found: dict[str, Any] = {
            name: given for name, variable in names.items() if (given := environment.get(variable))
        }
        if (given := environment.get("DIARIZER_MODEL")) is not None:
            found["diarizer"] = given.strip()
        for name, value in vars(cls()).items():
            if isinstance(value, float):
                found[name] = _positive(environment.get(name.upper(), ""), value)
        return cls(**found)


def _positive(text: str, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return value if 0 < value < float("inf") else otherwise


class RefusalError(Exception):
    """An answer that is an error, in the shape of OpenAI."""

    def __init__(
        self, status: int, code: str, message: str, param: str | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> Response:
        """Return it as it is sent."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, self.status, headers=self.headers)


# --- uploads -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """A form of several parts that lies in a file."""

    fields: Mapping[str, str]
    """The last value of each field."""
    upload: tuple[int, int] | None
    """From and to which byte the part ``file`` lies."""


def boundary_of(request: Request) -> bytes:
    """Return what separates the parts. Raises RefusalError."""
    head = email.message.Message()
    head["content-type"] = request.headers.get("content-type", "")
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary:
        raise RefusalError(415, "unsupported_media_type", "Send a form: multipart/form-data.")
    return boundary.encode("latin-1", "replace")


async def receive(request: Request, raw: Path, settings: Settings) -> None:
    """Write the body to a file, at most as much as is allowed. Raises RefusalError."""
    limit = int(settings.max_upload_mb * 1e6) + _BODY_SPARE_BYTES
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(int(declared), settings)
    size, held = 0, bytearray()
    with await asyncio.to_thread(raw.open, "wb", 0) as file:
        pieces = request.stream()
        while piece := await _next(pieces, settings.idle_seconds):
            size += len(piece)
            if size > limit:
                raise _too_large(size, settings)
            held += piece
            if len(held) >= _PIECE_BYTES:
                await asyncio.to_thread(file.write, bytes(held))
                held.clear()
        await asyncio.to_thread(file.write, bytes(held))


async def _next(pieces: AsyncIterator[bytes], seconds: float) -> bytes:
    """Return the next piece of a body, empty at its end. Raises TimeoutError."""
    try:
        return await asyncio.wait_for(anext(pieces), seconds)
    except StopAsyncIteration:
        return b""


def _too_large(size: int, settings: Settings) -> RefusalError:
    return RefusalError(
        413,
        "file_too_large",
        f"The file is too large: {size / 1e6:.1f} MB or more, at most "
        f"{settings.max_upload_mb:g} MB.",
        "file",
        connection="close",
    )


def read_form(raw: Path, boundary: bytes) -> Form:
    """Find the parts of a body. Raises RefusalError for what is no form."""
    if raw.stat().st_size == 0:
        raise _no_form()
    fields: dict[str, str] = {}
    upload = None
    mark = b"--" + boundary
    with raw.open("rb", 0) as file:
        body = _Body(file)
        at = body.find(mark)
        if at != 0 and (at < 0 or body.read(at - 2, at) != b"\r\n"):
            raise _no_form()
        for _ in range(_PARTS):
            at += len(mark)
            head = body.read(at, at + _HEAD_BYTES)
            if head[:2] == b"--":
                return Form(fields, upload)
            begin, head_end = head.find(b"\r\n", 0, 200) + 2, head.find(b"\r\n\r\n")
            end = body.find(b"\r\n" + mark, at)
            if begin < 2 or head_end < begin or at + head_end >= end:
                raise _no_form()
            name = _name_of(head[begin : head_end + 2])
            head_end += at
            start = min(head_end + 4, end)
            if name == "file" and upload is None:
                upload = (start, end)
            elif name is not None and name != "file":
                if end - start > _FIELD_BYTES:
                    raise RefusalError(
                        400, "field_too_long", "A field of the form is too long.", name
                    )
                fields[name.removesuffix("[]")] = body.read(start, end).decode("utf-8", "replace")
            at = end + 2
    raise RefusalError(400, "too_many_fields", f"The form has more than {_PARTS} parts.")


class _Body:
    """A file that is searched piece by piece, so that it is never in memory as a whole."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to ``end``, fewer at the end of the file."""
        self._file.seek(start)
        return self._file.read(end - start)

    def find(self, wanted: bytes, start: int = 0) -> int:
        """Return where something begins for the first time from ``start`` on, or -1."""
        while piece := self.read(start, start + _PIECE_BYTES):
            if (at := piece.find(wanted)) >= 0:
                return start + at
            if len(piece) < len(wanted):
                break
            start += len(piece) - len(wanted) + 1
        return -1


def _name_of(head: bytes) -> str | None:
    parsed = email.parser.BytesParser().parsebytes(head, headersonly=True)
    name = parsed.get_param("name", header="content-disposition")
    return name if isinstance(name, str) else None


def _no_form() -> RefusalError:
    return RefusalError(400, "invalid_form", "The body is no whole form (multipart/form-data).")


def read_sound(
    raw: Path, boundary: bytes, settings: Settings, longest: float
) -> tuple[Mapping[str, str], Path]:
    """Return the fields and the sound of a body. Raises RefusalError."""
    form = read_form(raw, boundary)
    return form.fields, decode(raw, form, settings, longest)


def decode(raw: Path, form: Form, settings: Settings, longest: float) -> Path:
    """Return a WAV file of 16 kHz, mono, of at most ``longest`` seconds. Raises RefusalError."""
    if form.upload is None:
        raise RefusalError(400, "missing_file", "The form has no part named file.", "file")
    start, end = form.upload
    if end - start > settings.max_upload_mb * 1e6:
        raise _too_large(end - start, settings)
    if end <= start:
        raise RefusalError(400, "empty_file", "The file is empty.", "file")
    source, audio = raw.with_name("source"), raw.with_name("audio.wav")
    with raw.open("rb") as body, source.open("wb") as copy:
        body.seek(start)
        left = end - start
        while left > 0 and (piece := body.read(min(left, _PIECE_BYTES))):
            copy.write(piece)
            left -= len(piece)
    raw.unlink()
    try:
        done = subprocess.run(
            _ffmpeg(source, audio, longest),
            capture_output=True,
            timeout=settings.decode_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"The file could not be decoded within {settings.decode_seconds:g} s."
        raise RefusalError(400, "invalid_audio", message, "file") from error
    source.unlink()
    if b"matches no streams" in done.stderr:
        raise RefusalError(400, "no_audio_stream", "The file has no sound.", "file")
    try:
        with wave.open(str(audio)) as file:
            seconds = file.getnframes() / RATE
    except (OSError, EOFError, wave.Error):
        seconds = 0.0
    # What was cut off in the middle has some sound before it fails.
    if seconds == 0:
        raise RefusalError(400, "invalid_audio", "The file is no sound that can be read.", "file")
    if seconds > longest:
        message = f"The recording is longer than {longest:g} s."
        raise RefusalError(413, "audio_too_long", message, "file")
    return audio


def _ffmpeg(source: Path, audio: Path, longest: float) -> list[str]:
    return [
        "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-threads", "1",
        "-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS, "-i", f"file:{source}",
        "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-t", f"{longest + 1:g}",
        "-ac", "1", "-ar", str(RATE), "-c:a", "pcm_s16le", "-f", "wav", "-y", str(audio),
    ]  # fmt: skip


# --- transcription -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    """A word and when it is heard, in seconds."""

    text: str
    start: float
    end: float

    def moved(self, seconds: float, duration: float) -> Word:
        """Return it later by some seconds, within the recording."""
        times = [min(at + seconds, duration) for at in (self.start, self.end)]
        return Word(self.text, times[0], times[1])


@dataclass(frozen=True)
class Transcript:
    """What was said."""

    text: str
    words: tuple[Word, ...]
    duration: float


class Transcriber:
    """Parakeet."""

    def __init__(self, model: Any, longest_run: float) -> None:
        self._model = model
        self._longest_run = longest_run

    def transcribe(self, audio: Path) -> Transcript:
        """Return what a WAV file of 16 kHz says, however long it is."""
        texts: list[str] = []
        words: list[Word] = []
        with wave.open(str(audio)) as sound:
            count = sound.getnframes()

            def read(first: int, last: int) -> array[int]:
                sound.setpos(first)
                return array("h", sound.readframes(last - first))

            for first, last in runs(count, read, self._longest_run):
                piece = audio.with_name("run.wav")
                write_wav(piece, read(first, last))
                text, heard = self._run(piece)
                words += [word.moved(first / RATE, count / RATE) for word in heard]
                texts.append(text)
        return Transcript(" ".join(filter(None, texts)), tuple(words), count / RATE)

    def _run(self, audio: Path) -> tuple[str, list[Word]]:
        answer = self._model.transcribe(
            [str(audio)], batch_size=1, num_workers=0, timestamps=True, verbose=False
        )
        # Older versions return the best hypotheses and all of them.
        found = answer[0] if isinstance(answer, tuple) else answer
        best = found[0]
        text = best if isinstance(best, str) else best.text
        return text.strip(), words_of(best)


def runs(
    count: int, read: Callable[[int, int], array[int]], longest_seconds: float
) -> Iterator[tuple[int, int]]:
    """Yield the first and last sample of each run of a recording with ``count`` samples.

    Every cut is at the quietest moment of the last half minute, which ``read`` returns.
    """
    longest, window, start = int(longest_seconds * RATE), RATE // 5, 0
    while count - start > longest:
        end = start + longest
        first = max(start + longest // 2, end - 30 * RATE)
        samples = read(first, end)
        quiet = min(
            range(0, max(1, len(samples) - window), window // 2),
            key=lambda at: sum(map(abs, samples[at : at + window : 8])),
        )
        cut = min(end, first + quiet + window // 2)
        yield start, cut
        start = cut
    yield start, count


def words_of(hypothesis: Any) -> list[Word]:
    """Return the words of a hypothesis; NeMo calls their times ``timestamp``, before ``timestep``.

    Times are seconds, or numbers of frames of 80 ms. Nothing where there are no times.
    """
    for name in ("timestamp", "timestep"):
        times = getattr(hypothesis, name, None)
        if isinstance(times, Mapping) and times.get("word"):
            return [word for row in times["word"] if (word := _word(row)) is not None]
    return []


def _word(row: Mapping[str, Any]) -> Word | None:
    text = str(row.get("word") or row.get("text") or row.get("char") or "").strip()
    times = []
    for name in ("start", "end"):
        seconds, frames = row.get(name), row.get(f"{name}_offset")
        if seconds is None and frames is None:
            return None
        times.append(float(seconds) if seconds is not None else float(frames) * 0.08)
    return Word(text, times[0], max(times)) if text else None


# --- answers -------------------------------------------------------------------------------------


def sentences(said: Transcript) -> list[tuple[float, float, str]]:
    """Return (start, end, text): to the end of a sentence, a pause of 1.5 s or 50 words."""
    if not said.words:
        return [(0.0, said.duration, said.text)] if said.text else []
    groups: list[list[Word]] = [[]]
    for word in said.words:
        last = groups[-1]
        over = last and (
            last[-1].text.endswith((".", "?", "!"))
            or word.start - last[-1].end > 1.5
            or len(last) >= 50
        )
        if over:
            groups.append([])
        groups[-1].append(word)
    return [(group[0].start, group[-1].end, joined(group)) for group in groups]


def joined(words: Sequence[Word]) -> str:
    """Return words as text, without a space before a mark."""
    return re.sub(r"\s+([.,:;!?%)])", r"\1", " ".join(word.text for word in words))


def render(said: Transcript, wanted: str, language: str) -> Response:
    """Return a transcript in one of the formats."""
    rows = sentences(said)
    if wanted == "text":
        return PlainTextResponse(said.text + "\n")
    if wanted == "srt":
        blocks = [
            f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n"
            for number, (start, end, text) in enumerate(rows, start=1)
        ]
        return PlainTextResponse("\n".join(blocks))
    if wanted == "vtt":
        blocks = [f"{_clock(a, '.')} --> {_clock(b, '.')}\n{text}\n" for a, b, text in rows]
        return PlainTextResponse("WEBVTT\n\n" + "\n".join(blocks), media_type="text/vtt")
    if wanted == "json":
        return JSONResponse({"text": said.text})
    segments = [
        {
            "id": number, "seek": 0, "start": round(start, 3), "end": round(end, 3), "text": text,
            "tokens": [], "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.0,
            "no_speech_prob": 0.0,
        }
        for number, (start, end, text) in enumerate(rows)
    ]  # fmt: skip
    words = [
        {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
        for word in said.words
    ]
    return JSONResponse(
        {
            "task": "transcribe", "language": language, "duration": round(said.duration, 3),
            "text": said.text, "segments": segments, "words": words,
        }
    )  # fmt: skip


def _clock(seconds: float, mark: str) -> str:
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


# --- the models, and the one thread that owns the GPU --------------------------------------------


@dataclass
class Part:
    """A part of the server: ``loading``, ``ready``, ``failed`` or ``off``."""

    status: str = "loading"
    problem: str | None = None
    model: Any = None


@dataclass(frozen=True)
class Loading:
    """How to get the models; ``memory`` says what the GPU has, and is asked by its thread only."""

    device: str
    transcriber: Callable[[], Any]
    diarizer: Callable[[], Any]
    memory: Callable[[], dict[str, float] | None] = lambda: None
    spare: Callable[[], None] = lambda: None
    """Give back memory of the GPU that is held for nothing."""


@dataclass
class Engine:
    """The models. Every call of one of them goes through ``run``, one at a time."""

    settings: Settings
    loading: Callable[[], Loading]
    speech: Part = field(default_factory=Part)
    voices: Part = field(default_factory=Part)
    device: str = ""
    memory: dict[str, float] | None = None
    lost: str | None = None
    """Why the GPU is lost to this process: nothing but a new process helps."""
    running_since: float | None = None
    _asked: int = 0
    _ways: Loading | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "gpu"))

    @property
    def waiting(self) -> int:
        """How many calls wait for the one that runs. Counted by the event loop alone."""
        return max(0, self._asked - (self.running_since is not None))

    def start(self) -> None:
        """Begin to load."""
        self._thread.submit(self._load)

    def stop(self) -> None:
        """Take no more work."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def run(self, request: Request, work: Callable[[], Any]) -> Any:
        """Have the GPU's thread do something.

        Raises RefusalError; ClientDisconnect when the caller left before it began.
        """
        if self.lost is not None:
            raise _gpu_lost(self.lost)
        future = self._thread.submit(self._guarded, work)
        self._asked += 1
        answer = asyncio.wrap_future(future)
        try:
            while True:
                done, _ = await asyncio.wait({answer}, timeout=_TELL_GONE_SECONDS)
                if done:
                    return answer.result()
                # What runs cannot be cancelled: it is waited for, as its files are in use.
                if await request.is_disconnected() and future.cancel():
                    raise ClientDisconnect
        finally:
            self._asked -= 1

    def _guarded(self, work: Callable[[], Any]) -> Any:
        if self.lost is not None:
            raise _gpu_lost(self.lost)
        self.running_since = time.monotonic()
        try:
            return work()
        except Exception as error:
            raise self._judged(error) from None
        finally:
            self.running_since = None
            self._measure()

    def _judged(self, error: Exception) -> RefusalError:
        """Return what to answer; the text of an unknown fault may hold what was said."""
        text = str(error)
        if _OUT_OF_MEMORY.search(text) or isinstance(error, MemoryError):
            if self._ways is not None:
                self._ways.spare()
            _log.error("out of memory")
            message = "There is not enough memory on the GPU for this now. Try again later."
            return RefusalError(503, "gpu_out_of_memory", message, retry_after="30")
        for line in text.splitlines():
            if _GPU_LOST.search(line):
                self.lost = self.lost or line.strip()[:300]
                _log.error("the GPU is lost to this process: %s", self.lost)
                return _gpu_lost(self.lost)
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        _log.error("a model failed: %s\n%s", type(error).__name__, where)
        message = f"The model failed on this recording ({type(error).__name__})."
        return RefusalError(500, "inference_failed", message)

    def _load(self) -> None:
        try:
            self._ways = ways = self.loading()
            self.device = ways.device
            self.speech.model = ways.transcriber()
        except Exception as error:
            _log.exception("the transcription model could not be loaded")
            self.speech.problem, self.speech.status = _first_line(error), "failed"
            self.voices.status = "off"
            return
        if self.settings.diarizer:
            try:
                self.voices.model = ways.diarizer()
                self.voices.status = "ready"
            except Exception as error:
                _log.exception("the diarizer could not be loaded")
                self.voices.problem, self.voices.status = _first_line(error), "failed"
        else:
            self.voices.status = "off"
        self._measure()
        self.speech.status = "ready"
        _log.info("ready; diarizer %s", self.voices.status)

    def _measure(self) -> None:
        if self._ways is None or self.lost is not None:
            return
        with contextlib.suppress(Exception):
            self.memory = self._ways.memory()


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()[:300]}".splitlines()[0]


def _gpu_lost(text: str) -> RefusalError:
    said = text if "CUDA" in text.upper() else f"CUDA error: {text}"
    return RefusalError(500, "cuda_failure", f"{said} (the container has to be restarted)")


def real_models(settings: Settings) -> Loading:
    """Return how to load the real models; imports what only the container has."""
    import torch
    from nemo.collections.asr.models import ASRModel

    device = "cuda" if torch.cuda.is_available() else "cpu"

    def memory() -> dict[str, float] | None:
        if device == "cpu":
            return None
        total = torch.cuda.get_device_properties(0).total_memory
        gb = {"allocated_gb": torch.cuda.memory_allocated(), "total_gb": total}
        return {name: round(value / 1e9, 2) for name, value in gb.items()}

    return Loading(
        device,
        lambda: Transcriber(
            load_model(ASRModel, settings.model, device), settings.max_segment_seconds
        ),
        lambda: Diarizer.load(settings.diarizer, settings.speaker_model, device),
        memory,
        lambda: torch.cuda.empty_cache() if device == "cuda" else None,
    )


def own_files() -> dict[str, str]:
    """Return the SHA-256 of the files this process was started with."""
    here = Path(__file__).parent
    names = ("main.py", "diarizer.py")
    return {name: hashlib.sha256((here / name).read_bytes()).hexdigest() for name in names}


# --- the application -----------------------------------------------------------------------------


class Server:
    """The routes, and how a request comes in."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._files = own_files()
        self._inside = 0
        self._decoders = ThreadPoolExecutor(2, "decode")

    @contextlib.asynccontextmanager
    async def life(self, _: FastAPI) -> AsyncIterator[None]:
        """Load the models while the server runs."""
        await asyncio.to_thread(_tidy_up)
        self._engine.start()
        yield
        self._engine.stop()
        self._decoders.shutdown(wait=False, cancel_futures=True)

    async def about(self) -> dict[str, Any]:
        """Say what this is."""
        return {"service": "parakeet-asr", "model": self._settings.model, "docs": "/docs"}

    async def models(self) -> dict[str, Any]:
        """List the names under which the model is known."""
        names = (self._settings.model.rpartition("/")[2], ALIAS)
        rows = [{"id": name, "object": "model", "owned_by": "nvidia"} for name in names]
        return {"object": "list", "data": rows}

    async def health(self) -> Response:
        """Say how it is; asks nothing that could wait for the GPU."""
        engine, settings = self._engine, self._settings
        since = engine.running_since
        said = {
            "status": "failed" if engine.lost is not None else engine.speech.status,
            "problem": engine.lost or engine.speech.problem,
            "model": settings.model,
            "device": engine.device,
            "gpu_memory": engine.memory,
            "diarizer": {
                "status": engine.voices.status,
                "problem": engine.voices.problem,
                "model": settings.diarizer or None,
                "speaker_model": settings.speaker_model if settings.diarizer else None,
            },
            "work": {
                "running_seconds": None if since is None else round(time.monotonic() - since, 1),
                "waiting": engine.waiting,
            },
            "overlay": self._files,
        }
        return JSONResponse(said, 503 if said["status"] == "failed" else 200)

    async def transcribe(self, request: Request) -> Response:
        """Answer with what was said, in the format that is asked for."""
        began, speech = time.monotonic(), self._engine.speech
        async with self._taken_in(request, speech, self._settings.max_audio_seconds) as taken:
            fields, audio = taken
            wanted = fields.get("response_format") or "json"
            if wanted not in FORMATS:
                message = f"response_format is one of {', '.join(FORMATS)}."
                raise RefusalError(400, "unsupported_format", message, "response_format")
            said = await self._engine.run(request, lambda: speech.model.transcribe(audio))
        _log.info(
            "transcribed %.1f s, %d words, in %.1f s",
            said.duration,
            len(said.words),
            time.monotonic() - began,
        )
        return render(said, wanted, fields.get("language") or "auto")

    async def diarize(self, request: Request) -> Response:
        """Answer with who speaks when and with the voice prints."""
        began, voices = time.monotonic(), self._engine.voices
        async with self._taken_in(request, voices, self._settings.max_diarize_seconds) as taken:
            fields, audio = taken
            frames = fields.get("frames", "").lower() in ("1", "true", "yes")
            found = await self._engine.run(
                request, lambda: voices.model.diarize(audio, frames=frames)
            )
        found["models"]["transcription"] = self._settings.model
        _log.info(
            "diarized %.1f s, %d speakers, in %.1f s",
            found["duration"],
            len(found["speakers_detected"]),
            time.monotonic() - began,
        )
        return JSONResponse(found)

    @contextlib.asynccontextmanager
    async def _taken_in(
        self, request: Request, part: Part, longest: float
    ) -> AsyncIterator[tuple[Mapping[str, str], Path]]:
        """Take a request in: yields its fields and its sound, and leaves nothing behind."""
        self._refuse_unready(part)
        if self._inside >= self._settings.max_requests:
            message = f"{self._inside} requests wait already. Try again in a moment."
            raise RefusalError(429, "queue_full", message, retry_after="5", connection="close")
        boundary = boundary_of(request)
        self._inside += 1
        folder = None
        try:
            folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=SPOOL))
            raw = folder / "body"
            await asyncio.wait_for(
                receive(request, raw, self._settings), self._settings.upload_seconds
            )
            yield await asyncio.get_running_loop().run_in_executor(
                self._decoders, read_sound, raw, boundary, self._settings, longest
            )
        except TimeoutError as error:
            message = "The upload took too long, or nothing came for too long."
            raise RefusalError(408, "upload_timeout", message, connection="close") from error
        except OSError as error:
            _log.error("the upload could not be kept: %s", error.strerror)
            raise RefusalError(503, "no_room", "The upload could not be kept on disk.") from error
        finally:
            self._inside -= 1
            if folder is not None:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _refuse_unready(self, part: Part) -> None:
        engine = self._engine
        if engine.lost is not None:
            raise _gpu_lost(engine.lost)
        if engine.speech.status == "loading":
            raise RefusalError(503, "loading", "The models are being loaded.", retry_after="10")
        if part.status != "ready":
            what = "diarizer" if part is engine.voices else "transcription model"
            code = f"{what.split()[0]}_unavailable"
            raise RefusalError(503, code, f"There is no {what} here: {part.problem or 'it is off'}")


def _tidy_up() -> None:
    """Remove what uploads left that a kill cut off."""
    for left in Path(tempfile.gettempdir()).glob(f"{SPOOL}*"):
        shutil.rmtree(left, ignore_errors=True)


def create_app(settings: Settings, loading: Callable[[Settings], Loading] = real_models) -> FastAPI:
    """Return the application; ``loading`` is called in the GPU's thread."""
    server = Server(settings, Engine(settings, lambda: loading(settings)))
    app = FastAPI(title="parakeet-asr", lifespan=server.life)
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(HTTPException, _nothing_here)
    app.add_exception_handler(ClientDisconnect, _gone)
    for path, answer in (("/", server.about), ("/health", server.health)):
        app.add_api_route(path, answer, response_model=None)
    app.add_api_route("/v1/models", server.models, response_model=None)
    for path, answer in (
        ("/v1/audio/transcriptions", server.transcribe),
        ("/v1/audio/diarize", server.diarize),
        ("/v1/audio/diarize-chunk", server.diarize),
    ):
        app.add_api_route(path, answer, methods=["POST"], response_model=None)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)  # noqa: S101 - it is registered for nothing else
    return error.response()


async def _nothing_here(_: Request, error: Exception) -> Response:
    if getattr(error, "status_code", 404) == 405:
        return RefusalError(405, "method_not_allowed", "It does not answer to that.").response()
    return RefusalError(404, "not_found", "There is nothing at this address.").response()


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
app = create_app(Settings.read(os.environ))
