"""Scrubs: find, name, replace in one pass, then look again at what would be let out."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from spark_redaction.scrub.detector import Detector
from spark_redaction.scrub.documents.composite import Composite
from spark_redaction.scrub.documents.putting_back import rehydrated_text, rehydrated_tree
from spark_redaction.scrub.documents.slots import text_slot
from spark_redaction.scrub.documents.tree import placed
from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.spans import Span, united
from spark_redaction.scrub.tokens.book import Book, Form
from spark_redaction.scrub.tokens.grammar import exact_tokens
from spark_redaction.scrub.tokens.rehydrate import Rehydrator, Report

_LOOKS: Final = 3
"""Times the rest of a text is looked at again before it is refused."""
_MASK: Final = " \0 "

Fill = Callable[[list[list[Span]], Any], Any]


class LeakError(Exception):
    """What would be returned still holds something personal, or would not come back whole."""


@dataclass(frozen=True)
class Scrubbed:
    """The scrubbed text or document, and what was hidden."""

    value: Any = field(repr=False)
    counts: Counter[Kind]
    tokens: Counter[str]


class Scrubber:
    """Scrubs for one scope; the book remembers what each placeholder stands for."""

    def __init__(self, detector: Detector, book: Book, *, passthrough: bool = False) -> None:
        self._detector = detector
        self._book = book
        self._passthrough = passthrough

    def text(self, text: str, format_: str = "text") -> Scrubbed:
        """Scrub a text. ``format_`` json or auto respects the strings of JSON text."""
        composite = Composite()
        slot = text_slot(composite, text, json={"text": False, "json": True}.get(format_))
        scrubbed = self._scrubbed(composite, slot.filled)
        self._check_text(text, str(scrubbed.value), format_)
        return scrubbed

    def document(self, value: Any, *, messages: bool = False) -> Scrubbed:
        """Scrub a parsed JSON document or a list of chat messages, into the same shape."""
        composite = Composite()
        fill = placed(composite, value, messages=messages)
        scrubbed = self._scrubbed(composite, fill)
        if not self._passthrough:
            rehydrator = Rehydrator(self._book)
            if rehydrated_tree(scrubbed.value, rehydrator, Report()) != value:
                raise LeakError("the document would not come back as it was")
        return scrubbed

    def _scrubbed(self, composite: Composite, fill: Fill) -> Scrubbed:
        text = composite.text
        spans = self._spans(composite, text)
        for look in range(_LOOKS):
            missed = self._missed(composite, text, spans)
            if not missed:
                break
            if look == _LOOKS - 1:
                raise LeakError("what is left still holds something personal")
            spans = composite.cut(united([*spans, *missed]))
        counts: Counter[Kind] = Counter()
        tokens: Counter[str] = Counter()

        def naming(span: Span, inside: str, surface: str, form: Form) -> str:
            key = span.key or folded(inside)
            token = self._book.token_for(span.kind, key, surface, form)
            counts[span.kind] += 1
            tokens[token] += 1
            return token

        value = fill(composite.of_piece(spans), naming)
        return Scrubbed(value, counts, tokens)

    def _spans(self, composite: Composite, text: str) -> list[Span]:
        spans = self._detector.spans(text)
        if self._passthrough:
            spans = _around(spans, self._own_tokens(text))
        return composite.cut(spans)

    def _own_tokens(self, text: str) -> list[tuple[int, int]]:
        return [
            (token.start, token.end)
            for token in exact_tokens(text)
            if self._book.resolve(token.kind, token.number, token.variant) is not None
        ]

    def _missed(self, composite: Composite, text: str, spans: list[Span]) -> list[Span]:
        """Look at what is left when everything found is masked; ranges are those of ``text``."""
        if self._passthrough:
            hidden = united(
                [*spans, *(Span(*own, Kind.LITERAL, "") for own in self._own_tokens(text))]
            )
        else:
            hidden = spans
        if not hidden:
            return []
        masked, starts = _masked(text, hidden)
        missed = []
        # Beside a placeholder things stand free that did not before: look-alikes as well.
        for span in self._detector.all(masked):
            for start, end in _outside(starts, span.start, span.end):
                missed.append(Span(start, end, span.kind, "", span.rank))
        return [
            span for span in composite.cut(missed) if text[span.start : span.end].strip(" \0\n.,:;")
        ]

    def _check_text(self, text: str, scrubbed: str, format_: str) -> None:
        if self._passthrough:
            return
        restored, report = rehydrated_text(scrubbed, Rehydrator(self._book), format_)
        if restored != text or report.blocked:
            raise LeakError("the text would not come back as it was")


def _masked(text: str, spans: list[Span]) -> tuple[str, list[tuple[int, int, int]]]:
    """Return the text with masks, and for each stretch that stayed: new start, new end, offset."""
    pieces: list[str] = []
    stayed = []
    after = length = 0
    for span in spans:
        if span.start > after:
            stayed.append((length, length + span.start - after, after - length))
        pieces += (text[after : span.start], _MASK)
        length += span.start - after + len(_MASK)
        after = span.end
    stayed.append((length, length + len(text) - after, after - length))
    pieces.append(text[after:])
    return "".join(pieces), stayed


def _outside(stayed: list[tuple[int, int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The pieces of a range of the masked text that stayed, as ranges of the text."""
    pieces = []
    at = max(0, bisect_right(stayed, start, key=lambda each: each[0]) - 1)
    while at < len(stayed) and stayed[at][0] < end:
        begin, stop, offset = stayed[at]
        if max(start, begin) < min(end, stop):
            pieces.append((max(start, begin) + offset, min(end, stop) + offset))
        at += 1
    return pieces


def _around(spans: list[Span], kept: list[tuple[int, int]]) -> list[Span]:
    """Cut ranges out of spans: tokens of this session stay tokens."""
    result = []
    for span in spans:
        pieces = [(span.start, span.end)]
        for begin, stop in kept:
            pieces = [
                piece
                for start, end in pieces
                for piece in ((start, min(end, begin)), (max(start, stop), end))
                if piece[0] < piece[1]
            ]
        whole = pieces == [(span.start, span.end)]
        if whole:
            result.append(span)
        elif span.kind is not Kind.LITERAL:
            result += [Span(start, end, span.kind, "", span.rank) for start, end in pieces]
    return result
