"""Patterns on RE2: linear in the text, whatever the text is."""

from collections.abc import Iterator
from typing import Final, Protocol

import re2

from spark_redaction.scrub.view import View

WORD: Final = rb"A-Za-z0-9_\xff"


class Found(Protocol):
    """A match over octets; offsets are those of the view."""

    def start(self, group: int = 0) -> int:
        """Where a group begins, -1 when it took no part."""
        ...

    def end(self, group: int = 0) -> int:
        """Where it ends."""
        ...

    def span(self, group: int = 0) -> tuple[int, int]:
        """Both."""
        ...

    def __getitem__(self, group: int) -> bytes: ...


class Pattern:
    """A compiled pattern over a view's octets; case does not matter unless said."""

    def __init__(self, source: bytes, *, any_case: bool = True, longest: bool = False) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.case_sensitive = not any_case
        options.longest_match = longest
        options.log_errors = False
        options.max_mem = 32 << 20
        self._compiled = re2.compile(source, options)
        self.source = source if any_case is False else b"(?i:" + source + b")"

    def matches(self, view: View) -> Iterator[Found]:
        """Every match from left to right, without overlaps."""
        return iter(self._compiled.finditer(view.octets))

    def first(self, view: View, start: int) -> Found | None:
        """The first match that begins at ``start`` or later."""
        found: Found | None = self._compiled.search(view.octets, start)
        return found

    def is_in(self, octets: bytes) -> bool:
        """Whether it occurs."""
        return self._compiled.search(octets) is not None


def any_of(*patterns: Pattern) -> Pattern:
    """Return one pattern that occurs where any of them does: one look instead of many."""
    return Pattern(b"|".join(b"(?:" + each.source + b")" for each in patterns), any_case=False)
