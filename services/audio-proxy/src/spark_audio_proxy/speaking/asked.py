"""What a request for speech asks for, checked once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from pydantic import JsonValue

from spark_audio_proxy.problems import ProblemCode, SpeechError

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
LARGEST_INPUT: Final = 200_000
"""Characters. OpenAI's own limit is 4096; what is longer is spoken piece by piece here."""
SLOWEST, FASTEST = 0.25, 4.0

_MOST_OF_A_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class SpeechAsked:
    """A request for speech."""

    input: str
    model: str = ""
    voice: str = ""
    format: Format = "mp3"
    speed: float = 1.0
    as_events: bool = False
    """Whether the sound goes out in server-sent events."""
    whole: bool = False
    """Whether the caller wants it in one part, with its true size in the head."""
    extras: Mapping[str, JsonValue] = field(default_factory=dict)
    """What only Kokoro understands: its language code, its volume."""


def read_speech(body: JsonValue) -> SpeechAsked:
    """Read the body of a request; raises SpeechError.

    Unknown fields are passed over, as are those that no engine here has a use for
    (``instructions``).
    """
    if not isinstance(body, dict):
        raise _wrong("invalid_value", None, "the body must be a JSON object")
    return SpeechAsked(
        input=_input(body.get("input")),
        model=_name(body, "model"),
        voice=_voice(body.get("voice")),
        format=_format(body.get("response_format")),
        speed=_speed(body.get("speed")),
        as_events=_as_events(body.get("stream_format")),
        whole=body.get("stream") is False,
        extras=_extras(body),
    )


def _wrong(code: ProblemCode, param: str | None, message: str) -> SpeechError:
    return SpeechError(code, message, param=param)


def _input(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise _wrong("invalid_value", "input", "input must be the text to speak")
    if len(value) > LARGEST_INPUT:
        raise _wrong(
            "invalid_value",
            "input",
            f"input has {len(value)} characters; at most {LARGEST_INPUT} are spoken at once",
        )
    # Half of a pair of surrogates is no character: no server takes it.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _name(body: Mapping[str, JsonValue], field: str) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MOST_OF_A_NAME:
        raise _wrong("invalid_value", field, f"{field} must be a short text")
    return value.strip()


def _voice(value: JsonValue) -> str:
    if isinstance(value, dict):
        value = value.get("id")
        if not isinstance(value, str):
            raise _wrong("unknown_voice", "voice", "a voice that is an object has an id")
    return _name({"voice": value}, "voice")


def _format(value: JsonValue) -> Format:
    if value is None or value == "":
        return "mp3"
    wanted = value.casefold() if isinstance(value, str) else value
    for known in FORMATS:
        if wanted == known:
            return known
    raise _wrong(
        "unsupported_format", "response_format", f"response_format is one of {', '.join(FORMATS)}"
    )


def _speed(value: JsonValue) -> float:
    if value is None:
        return 1.0
    try:
        speed = math.nan if isinstance(value, bool | list | dict) else float(value)
    except (ValueError, OverflowError):
        speed = math.nan
    if math.isnan(speed):
        raise _wrong("invalid_value", "speed", "speed must be a number")
    return min(FASTEST, max(SLOWEST, speed))


def _as_events(value: JsonValue) -> bool:
    if value not in (None, "", "audio", "sse"):
        raise _wrong("unsupported_format", "stream_format", "stream_format is audio or sse")
    return value == "sse"


def _extras(body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    code, volume = body.get("lang_code"), body.get("volume_multiplier")
    if isinstance(code, str) and code.isascii() and code.isprintable() and 0 < len(code) <= 8:
        found["lang_code"] = code
    if isinstance(volume, int | float) and not isinstance(volume, bool) and 0 < volume <= 10:
        found["volume_multiplier"] = volume
    options = body.get("normalization_options")
    if isinstance(options, dict):
        # Kokoro knows switches only, by names of its own.
        switches: dict[str, JsonValue] = {
            name: value
            for name, value in options.items()
            if isinstance(value, bool) and len(name) <= _MOST_OF_A_NAME and name.isascii()
        }
        found["normalization_options"] = switches
    return found
