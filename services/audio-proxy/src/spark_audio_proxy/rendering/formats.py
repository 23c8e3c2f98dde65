"""One transcript in the format that was asked for, as bytes and with its media type."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from spark_audio_proxy.rendering.documents import (
    diarized_json,
    encoded,
    plain_json,
    text_of,
    verbose_json,
)
from spark_audio_proxy.rendering.subtitles import srt, vtt
from spark_audio_proxy.speech import Transcript

Task = Literal["transcribe", "translate"]


class ResponseFormat(StrEnum):
    """The formats of the OpenAI API, by their names there."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VERBOSE_JSON = "verbose_json"
    VTT = "vtt"
    DIARIZED_JSON = "diarized_json"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body and its ``Content-Type``."""

    body: bytes
    media_type: str


def render(
    transcript: Transcript,
    response_format: ResponseFormat,
    granularities: Collection[str] = ("segment",),
    task: Task = "transcribe",
) -> Rendered:
    """Return the transcript as a client of the OpenAI API expects it.

    ``granularities`` (``word``, ``segment``) matter to ``verbose_json`` only; ``diarized_json``
    shows the blocks of the transcript.
    """
    match response_format:
        case ResponseFormat.JSON:
            return _json(encoded(plain_json(transcript)))
        case ResponseFormat.VERBOSE_JSON:
            return _json(encoded(verbose_json(transcript, granularities, task)))
        case ResponseFormat.DIARIZED_JSON:
            return _json(encoded(diarized_json(transcript, task)))
        case ResponseFormat.TEXT:
            return Rendered(text_of(transcript).encode(), "text/plain; charset=utf-8")
        case ResponseFormat.SRT:
            return Rendered(srt(transcript).encode(), "text/plain; charset=utf-8")
        case ResponseFormat.VTT:
            return Rendered(vtt(transcript).encode(), "text/vtt; charset=utf-8")


def _json(body: bytes) -> Rendered:
    return Rendered(body, "application/json")
