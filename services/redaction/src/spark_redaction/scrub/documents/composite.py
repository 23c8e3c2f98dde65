"""Many short texts as one long one, so that looking costs as much as for one text."""

from bisect import bisect_right
from typing import Final, NamedTuple

from spark_redaction.scrub.spans import Span

BREAK: Final = "\n\0\0\0\0\0\n"
"""Between two of them: longer than a gap inside a name or a number, and no cue crosses it."""


_LONGEST_KEY: Final = 24
_FEWEST_DIGITS: Final = 5


class Piece(NamedTuple):
    """Where one of the texts lies in the long one."""

    start: int
    end: int


class Composite:
    """Put together piece by piece; findings are cut at the edges of the pieces."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._open = ""
        self.pieces: list[Piece] = []

    def add(self, text: str, *, after_key: bool = False, number: bool = False, of: str = "") -> int:
        """Add a text and return its number.

        A value follows its key as in JSON; ``of``: the key of the list it is in, which is said
        anew before an item of it, unless that is a small number or the key a long one.
        """
        if len(of) > _LONGEST_KEY or (number and not text.lstrip("-").isdigit()):
            of = ""
        if number and len(text) < _FEWEST_DIGITS:
            of = ""
        if after_key:
            self._put('": ' if number else '": "')
        elif self.pieces:
            self._put(self._open + BREAK + (f'{of}": "' if of else ""))
        self._open = '"' if (after_key or of) and not number else ""
        self.pieces.append(Piece(self._length, self._length + len(text)))
        self._parts.append(text)
        self._length += len(text)
        return len(self.pieces) - 1

    def _put(self, glue: str) -> None:
        self._parts.append(glue)
        self._length += len(glue)

    @property
    def text(self) -> str:
        """The long text."""
        return "".join((*self._parts, self._open))

    def cut(self, spans: list[Span]) -> list[Span]:
        """Spans within the pieces only; a cut one is a value of its own."""
        starts = [piece.start for piece in self.pieces]
        result = []
        for span in spans:
            at = max(0, bisect_right(starts, span.start) - 1)
            while at < len(self.pieces) and self.pieces[at].start < span.end:
                piece = self.pieces[at]
                start, end = max(span.start, piece.start), min(span.end, piece.end)
                if start < end:
                    whole = (start, end) == (span.start, span.end)
                    result.append(span if whole else Span(start, end, span.kind, "", span.rank))
                at += 1
        return result

    def of_piece(self, spans: list[Span]) -> list[list[Span]]:
        """Spans by piece, with offsets within it."""
        starts = [piece.start for piece in self.pieces]
        sorted_out: list[list[Span]] = [[] for _ in self.pieces]
        for span in spans:
            at = bisect_right(starts, span.start) - 1
            base = starts[at]
            sorted_out[at].append(span._replace(start=span.start - base, end=span.end - base))
        return sorted_out
