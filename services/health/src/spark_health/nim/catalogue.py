"""What can be installed: our file, and the owner's in the data folder over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from spark_common.contracts.nim import NimEntry

OWN_FILE = "nim-catalog.yaml"
_MOST_BYTES = 200_000
_MOST_ENTRIES = 200
_FIELDS = frozenset(NimEntry.model_fields) - {"name"}


@dataclass(frozen=True)
class Catalogue:
    """Entries by name, the names of the owner's own, and what could not be used."""

    entries: Mapping[str, NimEntry]
    own: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def read_catalogue(data_dir: Path) -> Catalogue:
    """Return what both files say now; a bad entry is left out and said, never raised."""
    shipped, wrong = read_entries(
        (resources.files(__package__) / "catalog.yaml").read_text("utf-8"), "catalog.yaml"
    )
    try:
        with (data_dir / OWN_FILE).open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8")
    except FileNotFoundError:
        return Catalogue(shipped, problems=tuple(wrong))
    except (OSError, UnicodeDecodeError) as error:
        why = f"{OWN_FILE} cannot be read: {type(error).__name__}."
        return Catalogue(shipped, problems=(*wrong, why))
    if len(raw) > _MOST_BYTES:
        return Catalogue(shipped, problems=(*wrong, f"{OWN_FILE} is larger than 200 kB."))
    own, bad = read_entries(text, OWN_FILE)
    return Catalogue({**shipped, **own}, frozenset(own), (*wrong, *bad))


def read_entries(text: str, file: str) -> tuple[dict[str, NimEntry], list[str]]:
    """Return the entries of a file by name, and one sentence for each that cannot be used."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        return {}, [f"{file} is no YAML{where}."]
    if document is None:
        return {}, []
    if not isinstance(document, dict):
        return {}, [f"{file} must be entries by name."]
    found: dict[str, NimEntry] = {}
    problems: list[str] = []
    for name, fields in list(document.items())[:_MOST_ENTRIES]:
        entry = _entry(name, fields)
        if isinstance(entry, NimEntry):
            found[entry.name] = entry
        else:
            problems.append(f"{file}: {str(name)[:60]!r}: {entry}.")
    if len(document) > _MOST_ENTRIES:
        problems.append(f"{file} has more than {_MOST_ENTRIES} entries; the rest is left out.")
    return found, problems


def _entry(name: object, fields: object) -> NimEntry | str:
    """Return the entry, or why it is none."""
    if not isinstance(fields, dict):
        return "must be fields with values"
    unknown = [str(field)[:40] for field in fields if field not in _FIELDS]
    if unknown:
        return f"has no field {unknown[0]!r}"
    given: dict[str, Any] = {"label": str(name)[:80], **fields, "name": name}
    try:
        entry = NimEntry.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part)[:40] for part in first["loc"]) or "it"
        return f"{field}: {first['msg']}"
    return reserved(entry.env) or entry


def reserved(env: Mapping[str, str]) -> str | None:
    """Return why these variables are refused: a key has a way of its own, over stdin."""
    for name in env:
        if name in {"NGC_API_KEY", "NGC_CLI_API_KEY"} or name.endswith(("_TOKEN", "_SECRET")):
            return f"env: {name} is a secret; a key is given as ngc_api_key and never here"
    return None
