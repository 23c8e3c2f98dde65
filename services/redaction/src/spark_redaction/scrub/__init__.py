"""Finds what is personal in text, hides it behind placeholders, and puts it back.

Needs the standard library and google-re2 only; copy this folder to use it elsewhere.
Each name is read when it is asked for: who only puts back reads no recogniser.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from spark_redaction.scrub.detector import Detector
    from spark_redaction.scrub.kinds import Kind, kind_of
    from spark_redaction.scrub.names.dictionary import Dictionary
    from spark_redaction.scrub.names.entity import Entity
    from spark_redaction.scrub.scrubber import LeakError, Scrubbed, Scrubber
    from spark_redaction.scrub.tokens.book import Book, Entry
    from spark_redaction.scrub.tokens.rehydrate import Rehydrator, Report

__all__ = [
    "Book",
    "Detector",
    "Dictionary",
    "Entity",
    "Entry",
    "Kind",
    "LeakError",
    "Rehydrator",
    "Report",
    "Scrubbed",
    "Scrubber",
    "kind_of",
]

_HOMES: Final = {
    "Book": "tokens.book",
    "Detector": "detector",
    "Dictionary": "names.dictionary",
    "Entity": "names.entity",
    "Entry": "tokens.book",
    "Kind": "kinds",
    "LeakError": "scrubber",
    "Rehydrator": "tokens.rehydrate",
    "Report": "tokens.rehydrate",
    "Scrubbed": "scrubber",
    "Scrubber": "scrubber",
    "kind_of": "kinds",
}


def __getattr__(name: str) -> object:
    """Return what is not read yet; Python asks here for what a package does not have."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
