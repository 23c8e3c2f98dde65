"""What each placeholder of one scope stands for. Numbers only grow; nothing is ever reused."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.tokens.grammar import LETTERS, variant_at, written

Form = Literal["text", "json", "number"]
"""How a surface was written: as it is, inside a JSON string with escapes, or as a JSON number."""


@dataclass(frozen=True)
class Entry:
    """One surface form of one value."""

    token: str
    kind: Kind
    number: int
    variant: str
    key: str = field(repr=False)
    surface: str = field(repr=False)
    form: Form = "text"

    @property
    def plain(self) -> str:
        """The value as text."""
        return str(json.loads(f'"{self.surface}"')) if self.form == "json" else self.surface

    @property
    def json_source(self) -> str:
        """The value as it goes between the quotes of a JSON string."""
        return (
            self.surface
            if self.form == "json"
            else json.dumps(self.surface, ensure_ascii=False)[1:-1]
        )


class Book:
    """The map of one scope, in memory.

    ``entries`` and ``next_numbers`` restore a stored one; the same value keeps its placeholder, and
    a number is not handed out again when its entries were erased.
    """

    def __init__(
        self, entries: Iterable[Entry] = (), next_numbers: dict[str, int] | None = None
    ) -> None:
        self._entries: dict[tuple[Kind, int, str], Entry] = {}
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._surfaces: dict[tuple[Kind, int], dict[tuple[str, str], Entry]] = {}
        self._variants: dict[tuple[Kind, int], int] = {}
        self.next_numbers: dict[str, int] = dict(next_numbers or {})
        self.added: list[Entry] = []
        """Entries made since the book was opened; the store writes these."""
        for entry in entries:
            self._remember(entry)

    def __len__(self) -> int:
        """How many placeholders."""
        return len(self._entries)

    def entries(self) -> list[Entry]:
        """All of them."""
        return list(self._entries.values())

    def token_for(self, kind: Kind, key: str, surface: str, form: Form = "text") -> str:
        """Return the placeholder of a value, the same for the same surface."""
        number = self._numbers.get((kind, key))
        if number is None:
            number = self.next_numbers.get(kind.value, 1)
            self.next_numbers[kind.value] = number + 1
        known = self._surfaces.get((kind, number), {}).get((surface, form))
        if known is not None:
            return known.token
        variant = variant_at(self._variants.get((kind, number), 0))
        entry = Entry(written(kind, number, variant), kind, number, variant, key, surface, form)
        self._remember(entry)
        self.added.append(entry)
        return entry.token

    def resolve(self, kind: Kind, number: int, variant: str) -> Entry | None:
        """Return what a placeholder stands for; the first form when only the letter is unknown."""
        return self._entries.get((kind, number, variant)) or self._entries.get((kind, number, ""))

    def _remember(self, entry: Entry) -> None:
        self._entries[entry.kind, entry.number, entry.variant] = entry
        self._numbers.setdefault((entry.kind, entry.key), entry.number)
        surfaces = self._surfaces.setdefault((entry.kind, entry.number), {})
        surfaces[entry.surface, entry.form] = entry
        at = (entry.kind, entry.number)
        self._variants[at] = max(self._variants.get(at, 0), _index(entry.variant) + 1)
        self.next_numbers[entry.kind.value] = max(
            self.next_numbers.get(entry.kind.value, 1), entry.number + 1
        )


def _index(variant: str) -> int:
    index = 0
    for letter in variant:
        index = index * len(LETTERS) + LETTERS.index(letter) + 1
    return max(0, index - 1)
