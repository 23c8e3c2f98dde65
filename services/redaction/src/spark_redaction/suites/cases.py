"""The golden file: texts with what must not be readable afterwards and what must survive."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from spark_redaction.scrub import Dictionary, Entity, kind_of
from spark_redaction.scrub.profile import Profile

_FILE = Path(__file__).with_name("golden.jsonl")


@dataclass(frozen=True)
class Case:
    """One text. ``needs`` names the recogniser without which the case must fail."""

    id: str
    of: str
    text: str
    secrets: tuple[str, ...]
    keeps: tuple[str, ...]
    needs: str | None
    entities: tuple[tuple[str, str], ...]
    keep: tuple[str, ...]
    profile: Profile

    @property
    def known(self) -> Dictionary:
        """Its known entities."""
        return Dictionary(Entity(kind_of(kind), value) for kind, value in self.entities)

    @property
    def kept(self) -> Dictionary:
        """What is to be left alone."""
        return Dictionary(Entity(kind_of("OTHER"), phrase) for phrase in self.keep)


@cache
def golden() -> tuple[Case, ...]:
    """Every case of the file."""
    return tuple(_case(json.loads(line)) for line in _FILE.read_text("utf-8").splitlines())


def _case(line: dict[str, object]) -> Case:
    def words(name: str) -> tuple[str, ...]:
        value = line.get(name, ())
        return tuple(str(each) for each in value) if isinstance(value, list) else ()

    entities = line.get("entities", ())
    profile = line.get("profile", "transcript")
    return Case(
        id=str(line["id"]),
        of=str(line["class"]),
        text=str(line["text"]),
        secrets=words("secrets"),
        keeps=words("keeps"),
        needs=str(line["needs"]) if "needs" in line else None,
        entities=tuple((str(kind), str(value)) for kind, value in entities)
        if isinstance(entities, list)
        else (),
        keep=words("keep"),
        profile="strict" if profile == "strict" else "transcript",
    )
