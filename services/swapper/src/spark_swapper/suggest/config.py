"""Reads ``config.json`` whatever its shape: nested, old names, wrong types. Pure."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from spark_swapper.suggest.facts import JsonObject

FILE = "config.json"
MOST = 2**40
"""No length, count or size in a configuration is larger; what claims to be is not a number."""
MOST_LAYERS = 10_000
_SHOWN = 80
_UNSHOWABLE = re.compile(r"[^ -~]+")
_NESTED = (
    ("text_config",),
    ("llm_config",),
    ("language_config",),
    ("thinker_config", "text_config"),
    ("thinker_config",),
)
"""Where the language model of a larger one describes itself."""


@dataclass(frozen=True)
class Number:
    """A positive whole number and where it stands."""

    value: int
    source: str


@dataclass(frozen=True)
class Section:
    """A part of a file with its place in it."""

    fields: JsonObject
    place: str
    """``config.json: text_config.`` or ``config.json: ``."""

    def source(self, key: str) -> str:
        """Say where a key stands."""
        return f"{self.place}{key}"


class Config:
    """A model's configuration; the language model's own part is asked first."""

    def __init__(self, fields: JsonObject | None) -> None:
        self.top = Section(fields or {}, f"{FILE}: ")
        self.sections = tuple(_sections(self.top))
        """The most specific first, the top last."""

    def find(self, key: str) -> tuple[JsonValue, str] | None:
        """Return a value that is not null, and its source."""
        for section in self.sections:
            if (value := section.fields.get(key)) is not None:
                return value, section.source(key)
        return None

    def number(self, *keys: str) -> Number | None:
        """Return the first of these keys that is a positive whole number."""
        for key in keys:
            for section in self.sections:
                if value := whole(section.fields.get(key)):
                    return Number(value, section.source(key))
        return None

    def mapping(self, *keys: str) -> Section | None:
        """Return the first of these keys that is an object with anything in it."""
        for key in keys:
            for section in self.sections:
                value = section.fields.get(key)
                if isinstance(value, Mapping) and value:
                    return Section(value, f"{section.source(key)}.")
        return None

    def words(self, key: str) -> tuple[str, ...]:
        """Return the texts of a list; none when it is no list."""
        found = self.find(key)
        listed = found[0] if found and isinstance(found[0], list) else []
        return tuple(item for item in listed[:MOST_LAYERS] if isinstance(item, str))

    @property
    def architecture(self) -> str | None:
        """The first of ``architectures`` at the top, which is what vLLM resolves."""
        listed = self.top.fields.get("architectures")
        return text(listed[0]) if isinstance(listed, list) and listed else None

    @property
    def model_types(self) -> tuple[str, ...]:
        """The type of the whole, then of its parts."""
        found = [text(section.fields.get("model_type")) for section in reversed(self.sections)]
        return tuple(one.lower() for one in found if one)


def whole(value: JsonValue) -> int | None:
    """Return a positive whole number of sensible size; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        return None
    return int(value) if 0 < value <= MOST else None


def factor(value: JsonValue) -> float | None:
    """Return a finite positive number; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= MOST else None


def text(value: JsonValue) -> str | None:
    """Return a short printable text; None for everything else."""
    if not isinstance(value, str):
        return None
    return _UNSHOWABLE.sub(" ", value).strip()[:_SHOWN] or None


def _sections(top: Section) -> Iterator[Section]:
    for path in _NESTED:
        fields: JsonValue | JsonObject = top.fields
        for key in path:
            fields = fields.get(key) if isinstance(fields, Mapping) else None
        if isinstance(fields, Mapping) and fields:
            yield Section(fields, f"{top.place}{'.'.join(path)}.")
            break
    yield top
