"""Reads a file of recipes: a mapping ``models`` of keys to fields. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Fields = Mapping[str, Any]
MAX_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Document:
    """The entries of a file as they are written, valid or not."""

    entries: Mapping[str, object] = field(default_factory=dict)
    """By key; what is not a mapping of fields is in here as well."""
    problems: tuple[str, ...] = ()
    unreadable: str | None = None
    """Why nothing of it can be used, and why it must not be written over."""


def read_document(text: str, source: str) -> Document:
    """Return the entries; what cannot be read at all is said and never raised."""
    if len(text) > MAX_CHARACTERS:
        return _unreadable(f"{source} is longer than {MAX_CHARACTERS} characters")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        return _unreadable(f"{source} is not valid YAML{place}")
    except RecursionError:
        return _unreadable(f"{source} is nested too deeply")
    except ValueError:
        # A date that does not exist, a number with thousands of digits.
        return _unreadable(f"{source} has a value that is no YAML value")
    if document is None:
        return Document()
    if not isinstance(document, dict) or "models" not in document:
        return _unreadable(f"{source} has no mapping 'models'")
    models = document["models"]
    if models is None:
        return Document()
    if not isinstance(models, dict):
        return _unreadable(f"{source} has no mapping 'models'")
    return Document({str(key): fields for key, fields in models.items()})


def _unreadable(reason: str) -> Document:
    said = f"{reason}; all of its entries are left out"
    return Document(problems=(said,), unreadable=reason)
