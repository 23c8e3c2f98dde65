"""Old values come over once, from ``app_settings.json`` of an install from before.

That file was a flat object keyed by the names of environment variables. What else is in it, or
broke since, is told and left behind.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue, SecretStr, ValidationError

from spark_common.owner import Table
from spark_coordinator.owner.change import Change, check
from spark_coordinator.printable import printable

FILE = "app_settings.json"
_MOST_BYTES = 1_000_000
_SHOWN_FOR = timedelta(days=30)
_VALUE_KEYS = ("value", "val")
"""How a value is called where each entry is an object of its own."""


class LeftBehind(BaseModel):
    """One entry that did not come over."""

    name: str
    rule: str


class Note(BaseModel):
    """What was migrated and when; kept, so that it never happens again."""

    at: datetime
    taken: list[str] = []
    left_behind: list[LeftBehind] = []

    def warnings(self, owner_set: frozenset[str], now: datetime) -> list[str]:
        """Return a sentence for each entry left behind that the owner has not set since."""
        if now - self.at > _SHOWN_FOR:
            return []
        return [
            f"{FILE}: {one.name} was not taken over: {one.rule}"
            for one in self.left_behind
            if one.name not in owner_set
        ]


@dataclass(frozen=True)
class OldValues:
    """What an old file has that can be used, and what of it cannot."""

    change: Change
    left_behind: tuple[LeftBehind, ...]

    @property
    def names(self) -> list[str]:
        """The settings that come over."""
        return [*self.change.values, *self.change.secrets]


class UnreadableError(Exception):
    """The file is there and nothing of it can be used; the text is fit for people."""


def read_note(text: str | None) -> Note | None:
    """Return the note as it was kept; None for none, or for one that nobody can read."""
    try:
        return None if text is None else Note.model_validate_json(text)
    except ValidationError:
        return None


def read_old(folder: Path, table: Table) -> OldValues | None:
    """Return what the old file has; None when there is none. Raises UnreadableError."""
    try:
        with (folder / FILE).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise UnreadableError(f"{FILE} cannot be read: {wrong.strerror}") from wrong
    if len(content) > _MOST_BYTES:
        raise UnreadableError(f"{FILE} cannot be read: it is longer than {_MOST_BYTES} bytes")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        raise UnreadableError(f"{FILE} cannot be read: it is not valid JSON") from wrong
    if not isinstance(document, dict):
        raise UnreadableError(f"{FILE} cannot be read: it is not an object")
    try:
        return old_values(document, table)
    except RecursionError as wrong:
        raise UnreadableError(f"{FILE} cannot be read: it is nested too deeply") from wrong


def old_values(document: Mapping[str, Any], table: Table) -> OldValues:
    """Sort the entries of an old file into what the table takes and what it does not."""
    values: dict[str, JsonValue] = {}
    secrets: dict[str, SecretStr | None] = {}
    for name, value in _entries(document, table):
        field = table.get(name)
        if value is None or value == "":
            continue
        written = isinstance(value, str | int) and not isinstance(value, bool)
        if field is not None and field.secret and written:
            secrets[name] = SecretStr(str(value))
        else:
            values[name] = value
    checked, problems = check(table, values, secrets)
    return OldValues(
        Change(_set(checked.values), _set(checked.secrets)),
        tuple(LeftBehind(name=printable(one.name[:80]), rule=one.rule) for one in problems),
    )


def _set(texts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: text for name, text in texts.items() if text is not None}


def _entries(document: Mapping[str, Any], table: Table) -> Iterator[tuple[str, Any]]:
    """Yield names and values, also of objects within objects: ``{"webhook": {"URL": ...}}``."""
    for key, value in document.items():
        name = key.strip().upper()
        if not isinstance(value, dict):
            yield name, value
        elif table.get(name) is not None and any(known in value for known in _VALUE_KEYS):
            yield name, next(value[known] for known in _VALUE_KEYS if known in value)
        else:
            yield from _entries(value, table)
