"""The port of a recogniser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.spans import Span
from spark_redaction.scrub.view import View

Finding = tuple[int, int, Kind, str]
"""Range in the view, kind, key; an empty key is the folded text itself."""


@dataclass(frozen=True)
class Recogniser:
    """One class of what is looked for.

    ``needs`` are octets in lower case of which one must occur, or it is not run; empty means that
    it needs digits unless ``needs_digits`` is off.
    """

    name: str
    find: Callable[[View], Iterator[Finding]]
    rank: int = 50
    needs: tuple[bytes, ...] = ()
    needs_digits: bool = False
    strict_only: bool = False
    gate: Pattern | None = None
    """What has to occur, or it is not run."""

    def spans(self, view: View) -> Iterator[Span]:
        """Find in a view, in ranges of the raw text."""
        if self.needs_digits and not view.has_digits:
            return
        if self.needs and not any(need in view.low_octets for need in self.needs):
            return
        if self.gate is not None and not self.gate.is_in(view.octets):
            return
        for start, end, kind, key in self.find(view):
            raw_start, raw_end = view.raw(start, end)
            yield Span(raw_start, raw_end, kind, key or view.lower[start:end], self.rank)
