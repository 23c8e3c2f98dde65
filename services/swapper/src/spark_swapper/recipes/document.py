"""Reads a file of recipes: a mapping ``models`` of keys to fields. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Fields = Mapping[str, Any]
MAX_BYTES = 500_000
"""Hundreds of entries; reading that many takes about two seconds."""
MAX_VALUES = MAX_BYTES
"""A text has fewer values than bytes, unless anchors let it repeat itself, or never end."""
_SAID_AGAIN = 20


@dataclass(frozen=True)
class Document:
    """The entries of a file as they are written, valid or not."""

    entries: Mapping[str, object] = field(default_factory=dict)
    """By key; what is not a mapping of fields is in here as well."""
    problems: tuple[str, ...] = ()
    """Also what stands twice, and so is not heard the first time."""
    unreadable: str | None = None
    """Why nothing of it can be used, and why it must not be written over."""


def read_document(text: str, source: str) -> Document:
    """Return the entries; what cannot be read at all is said and never raised."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _unreadable(f"{source} is longer than {MAX_BYTES} bytes")
    try:
        loader = _Loader(text)
        document = loader.get_single_data()
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
    if _has_no_end(document):
        return _unreadable(f"{source} repeats itself without end, by its anchors")
    if not isinstance(document, dict) or "models" not in document:
        return _unreadable(f"{source} has no mapping 'models'")
    models = document["models"]
    if models is not None and not isinstance(models, dict):
        return _unreadable(f"{source} has no mapping 'models'")
    twice = tuple(
        f"{source}: {name[:80]!r} stands there again in line {line}; the last one counts"
        for name, line in loader.again[:_SAID_AGAIN]
    )
    return Document({str(key): fields for key, fields in (models or {}).items()}, twice)


class _Loader(yaml.SafeLoader):
    """Notices what YAML passes over: a name that a mapping has already."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.again: list[tuple[str, int]] = []

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        names = [name for name, _ in node.value if isinstance(name, yaml.ScalarNode)]
        seen: set[str] = set()
        for name in names:
            if name.value in seen:
                self.again.append((name.value, name.start_mark.line + 1))
            seen.add(name.value)
        return node


def _has_no_end(document: object) -> bool:
    """Whether it holds itself, or so much by its anchors that nobody could write it down."""
    waiting, values = [document], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        values += 1
        if values + len(waiting) > MAX_VALUES:
            return True
    return False


def _unreadable(reason: str) -> Document:
    said = f"{reason}; all of its entries are left out"
    return Document(problems=(said,), unreadable=reason)
