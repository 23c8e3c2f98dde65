"""The models of speech, as OpenAI's clients list them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from spark_audio_proxy.listing.voices import Voice, by_model

PARAKEET: Final = "parakeet-tdt-0.6b-v3"
HEARS: Final = (
    PARAKEET,
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
)
"""The model that hears, and the names of OpenAI's that mean it here."""
_CODES: Final = "bg cs da de el en es et fi fr hr hu it lt lv mt nl pl pt ro ru sk sl sv uk"
LANGUAGES: Final = tuple(_CODES.split())
"""What it understands."""

Model = dict[str, JsonValue]


def all_models(
    voices: Sequence[Voice], ready: Mapping[str, bool], created: int, *, hears: bool
) -> list[Model]:
    """Return all models. ``ready``: by ``parakeet``, ``kokoro``, ``magpie``."""
    found = list(_hearing(ready.get("parakeet", True), created)) if hears else []
    for name, spoken in by_model(voices).items():
        engine = spoken[0].engine
        found.append(
            {
                **_model(name, created, "text-to-speech", ready.get(engine, True), engine),
                "languages": list(dict.fromkeys(voice.language for voice in spoken)),
                "voices": [voice.shown() for voice in spoken],
            }
        )
    return found


def voices_as_models(voices: Sequence[Voice], created: int) -> Iterator[Model]:
    """Return every voice as if it were a model, as the earlier system did."""
    for voice in voices:
        yield _model(voice.id, created, "text-to-speech", True, voice.engine)


def _hearing(ready: bool, created: int) -> Iterator[Model]:
    for name in HEARS:
        yield {
            **_model(name, created, "automatic-speech-recognition", ready, PARAKEET),
            "languages": list(LANGUAGES),
        }


def _model(name: str, created: int, task: str, ready: bool, root: str) -> Model:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "spark-control",
        "root": root,
        "task": task,
        "ready": ready,
    }
