"""Patterns on RE2: linear in the text, whatever the text is."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import re2
from re2 import _re2

from spark_redaction.scrub.view import View

WORD: Final = rb"A-Za-z0-9_\xff"
_ANYWHERE: Final = _re2.RE2.Anchor.UNANCHORED


class Found:
    """A match over octets; offsets are those of the view."""

    __slots__ = ("_octets", "_spans")

    def __init__(self, octets: bytes, spans: Sequence[tuple[int, int]]) -> None:
        self._octets = octets
        self._spans = spans

    def start(self, group: int = 0) -> int:
        """Where a group begins, -1 when it took no part."""
        return self._spans[group][0]

    def end(self, group: int = 0) -> int:
        """Where it ends."""
        return self._spans[group][1]

    def span(self, group: int = 0) -> tuple[int, int]:
        """Both."""
        return self._spans[group]

    def __getitem__(self, group: int) -> bytes:
        """What it holds, nothing when it took no part."""
        start, end = self._spans[group]
        return self._octets[start:end] if start >= 0 else b""


class Pattern:
    """A compiled pattern over a view's octets; case does not matter unless said.

    ``groups`` off: the parentheses are there to order, and RE2 need not say where they matched.

    Calls what the public ``re2`` wraps: its matches of bytes cost more than most of the matching.
    """

    def __init__(
        self, source: bytes, *, any_case: bool = True, longest: bool = False, groups: bool = True
    ) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.case_sensitive = not any_case
        options.longest_match = longest
        options.never_capture = not groups
        options.log_errors = False
        options.max_mem = 32 << 20
        compiled = _re2.RE2(source, options)
        if not compiled.ok():
            raise ValueError(compiled.error())
        self._match: Callable[[object, bytes, int, int], Sequence[tuple[int, int]]] = compiled.Match
        self.source = source if any_case is False else b"(?i:" + source + b")"

    def matches(self, view: View) -> Iterator[Found]:
        """Every match from left to right, without overlaps."""
        octets, match, length = view.octets, self._match, len(view.octets)
        at = 0
        while at <= length:
            spans = match(_ANYWHERE, octets, at, length)
            start, end = spans[0]
            if start < 0:
                return
            yield Found(octets, spans)
            at = end if end > at else at + 1

    def first(self, view: View, start: int) -> Found | None:
        """The first match that begins at ``start`` or later."""
        octets = view.octets
        spans = self._match(_ANYWHERE, octets, min(start, len(octets)), len(octets))
        return Found(octets, spans) if spans[0][0] >= 0 else None

    def is_in(self, octets: bytes) -> bool:
        """Whether it occurs."""
        return self._match(_ANYWHERE, octets, 0, len(octets))[0][0] >= 0


def any_of(*patterns: Pattern) -> Pattern:
    """Return one pattern that occurs where any of them does: one look instead of many."""
    sources = b"|".join(b"(?:" + each.source + b")" for each in patterns)
    return Pattern(sources, any_case=False, groups=False)
