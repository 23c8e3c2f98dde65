"""Voices, as each engine tells of them and as clients want to read them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from spark_audio_proxy.speaking.voices import (
    KOKORO_MODELS,
    Engine,
    gender_of,
    language_of,
    magpie_language,
)

MOST_VOICES: Final = 5_000
"""Of one engine; more are passed over."""
_NAME = re.compile(r"[\w.()+-]{1,120}")


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice by which somebody can be spoken to."""

    id: str
    name: str
    language: str
    engine: Engine
    gender: str | None = None

    def shown(self) -> dict[str, JsonValue]:
        """Return it as clients read it; what is not known is left out."""
        shown: dict[str, JsonValue] = {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "engine": self.engine,
        }
        if self.gender is not None:
            shown["gender"] = self.gender
        return shown


def of_kokoro(said: JsonValue) -> tuple[Voice, ...]:
    """Read what Kokoro says: objects, or plain names as older images do."""
    listed = said.get("voices") if isinstance(said, dict) else said
    voices: dict[str, Voice] = {}
    for each in listed if isinstance(listed, list) else ():
        name = each.get("id") or each.get("name") if isinstance(each, dict) else each
        shown = each.get("name") if isinstance(each, dict) else None
        if isinstance(name, str) and _NAME.fullmatch(name) and len(voices) < MOST_VOICES:
            shown = shown if isinstance(shown, str) and len(shown) <= 120 else name
            voices.setdefault(
                name, Voice(name, shown, language_of(name), "kokoro", gender_of(name))
            )
    return tuple(voices.values())


def of_magpie(said: JsonValue) -> tuple[Voice, ...]:
    """Read what Magpie says: ``{"en-US,es-US": {"voices": [...]}}``."""
    voices: dict[str, Voice] = {}
    for name in _names_of_magpie(said):
        if _NAME.fullmatch(name) and len(voices) < MOST_VOICES:
            shown = " ".join(name.split(".")[2:]) or name
            voices.setdefault(name, Voice(name, shown, magpie_language(name), "magpie"))
    return tuple(voices.values())


def _names_of_magpie(said: JsonValue) -> Iterator[str]:
    for group in said.values() if isinstance(said, dict) else ():
        listed = group.get("voices") if isinstance(group, dict) else None
        for name in listed if isinstance(listed, list) else ():
            if isinstance(name, str):
                yield name


def by_model(voices: Sequence[Voice]) -> Mapping[str, tuple[Voice, ...]]:
    """Return who can be heard under which model's name; engines that nobody has are left out."""
    engines = {voice.engine for voice in voices}
    found: dict[str, tuple[Voice, ...]] = {}
    for engine, models in (("kokoro", KOKORO_MODELS), ("magpie", ("magpie",))):
        if engine in engines:
            mine = tuple(voice for voice in voices if voice.engine == engine)
            found |= dict.fromkeys(models, mine)
    return found
