"""Places of a document that hold text, and how a finding in one becomes a placeholder there."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from spark_redaction.scrub.documents.composite import Composite
from spark_redaction.scrub.documents.json_source import Leaf, is_json, leaves
from spark_redaction.scrub.spans import Span
from spark_redaction.scrub.tokens.book import Form

Naming = Callable[[Span, str, str, Form], str]
"""Placeholder for a span, given its text, its surface in the source and the surface's form."""


class Slot(Protocol):
    """Filled in once what is in it was found."""

    def filled(self, found: list[list[Span]], naming: Naming) -> Any:
        """Return it with placeholders; ``found`` has the spans of each piece."""
        ...


class TextSlot(NamedTuple):
    """Plain text."""

    text: str
    piece: int

    def filled(self, found: list[list[Span]], naming: Naming) -> str:
        """Replace what was found."""
        pieces: list[str] = []
        after = 0
        for span in found[self.piece]:
            surface = self.text[span.start : span.end]
            pieces += (self.text[after : span.start], naming(span, surface, surface, "text"))
            after = span.end
        pieces.append(self.text[after:])
        return "".join(pieces)


class NumberSlot(NamedTuple):
    """A JSON number; found, it becomes a string that remembers being a number."""

    value: int | float
    piece: int

    def filled(self, found: list[list[Span]], naming: Naming) -> Any:
        """Replace the whole of it."""
        spans = found[self.piece]
        if not spans:
            return self.value
        text = repr(self.value)
        return naming(spans[0]._replace(start=0, end=len(text)), text, text, "number")


class JsonSlot(NamedTuple):
    """JSON text: every byte outside of what was found stays."""

    source: str
    parts: list[tuple[Leaf, int]]

    def filled(self, found: list[list[Span]], naming: Naming) -> str:
        """Replace inside the strings of the source."""
        pieces: list[str] = []
        after = 0
        for leaf, piece in self.parts:
            spans = found[piece]
            if spans and leaf.number:
                name = naming(spans[0], leaf.text, leaf.text, "number")
                pieces += (self.source[after : leaf.start], f'"{name}"')
                after = leaf.end
                continue
            for span in spans:
                start, end = leaf.starts[span.start], leaf.starts[span.end]
                surface = self.source[start:end]
                form: Form = "json" if "\\" in surface else "text"
                pieces += (
                    self.source[after:start],
                    naming(span, leaf.text[span.start : span.end], surface, form),
                )
                after = end
        pieces.append(self.source[after:])
        return "".join(pieces)


def text_slot(
    composite: Composite, text: str, *, json: bool | None, after_key: bool = False, of: str = ""
) -> Slot:
    """Place a text; ``json`` says whether it is JSON text, None looks.

    ``of``: the key of the list it is in.
    """
    if json or (json is None and is_json(text)):
        return _json_slot(composite, text)
    return TextSlot(text, composite.add(text, after_key=after_key, of=of))


def _json_slot(composite: Composite, source: str) -> JsonSlot:
    parts = []
    keyed, of = False, ""
    for leaf in leaves(source):
        value = keyed and not leaf.key
        listed = "" if value or leaf.key else of
        piece = composite.add(leaf.text, after_key=value, number=leaf.number, of=listed)
        parts.append((leaf, piece))
        keyed, of = leaf.key, leaf.text if leaf.key else of
    return JsonSlot(source, parts)
