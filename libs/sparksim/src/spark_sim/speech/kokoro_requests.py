"""What Kokoro is asked, and how it refuses what it does not take."""

import json
from dataclasses import dataclass
from typing import Any

FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")


class InvalidError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, detail: object) -> None:
        super().__init__(str(detail))
        self.status, self.detail = status, detail


@dataclass(frozen=True)
class SpeechRequest:
    """One wish for speech."""

    input: str
    model: str = "kokoro"
    voice: str = "af_heart"
    form: str = "mp3"
    speed: float = 1.0
    stream: bool = True
    volume: float = 1.0
    unknown: tuple[str, ...] = ()
    """Fields it does not know and ignores."""


_KNOWN = frozenset(
    {
        "input", "model", "voice", "response_format", "speed", "stream", "volume_multiplier",
        "lang_code", "normalization_options", "return_download_link", "download_format",
        "allow_voice_tags", "voice_aliases", "ssml", "return_timestamps",
    }
)  # fmt: skip


def validated(body: bytes, *, captioned: bool) -> SpeechRequest:
    """Read a request. Raises InvalidError as FastAPI refuses: 422 with a list of what is wrong."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise _unprocessable("json_invalid", "body", "JSON decode error", None) from error
    if not isinstance(given, dict):
        said = "Input should be a valid dictionary or object to extract fields from"
        raise _unprocessable("model_attributes_type", "body", said, given)
    if "input" not in given:
        raise _unprocessable("missing", "input", "Field required", given)
    formats = (*FORMATS, "m4a") if captioned else FORMATS
    form = given.get("response_format", "mp3")
    if form not in formats:
        listed = ", ".join(repr(name) for name in formats)
        raise _unprocessable("literal_error", "response_format", f"Input should be {listed}", form)
    return SpeechRequest(
        input=_text(given, "input", ""),
        model=_text(given, "model", "kokoro"),
        voice=_text(given, "voice", "af_heart"),
        form=form,
        speed=_number(given, "speed", 0.25, 4.0),
        stream=bool(given.get("stream", True)),
        volume=_number(given, "volume_multiplier", 0.0, 100.0),
        unknown=tuple(sorted(set(given) - _KNOWN)),
    )


def refused(
    error: str, message: str, status: int = 400, kind: str = "invalid_request_error"
) -> InvalidError:
    """Return a refusal in Kokoro's own shape."""
    return InvalidError(status, {"error": error, "message": message, "type": kind})


def _text(given: dict[str, Any], name: str, otherwise: str) -> str:
    value = given.get(name, otherwise)
    if not isinstance(value, str):
        raise _unprocessable("string_type", name, "Input should be a valid string", value)
    return value


def _number(given: dict[str, Any], name: str, least: float, most: float) -> float:
    value = given.get(name, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unprocessable("float_parsing", name, "Input should be a valid number", value)
    if value < least:
        said = f"Input should be greater than or equal to {least:g}"
        raise _unprocessable("greater_than_equal", name, said, value)
    if value > most:
        said = f"Input should be less than or equal to {most:g}"
        raise _unprocessable("less_than_equal", name, said, value)
    return float(value)


def _unprocessable(kind: str, name: str, message: str, value: object) -> InvalidError:
    place = ["body"] if name == "body" else ["body", name]
    return InvalidError(422, [{"type": kind, "loc": place, "msg": message, "input": value}])
