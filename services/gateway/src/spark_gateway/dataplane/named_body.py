"""Reads which model a body names, and says what to change when it is called otherwise there."""

import json
from collections.abc import Sequence
from typing import Final, Protocol

from spark_gateway.dataplane.form_field import FormField, boundary_of, is_form
from spark_gateway.dataplane.model_field import ModelField
from spark_gateway.dataplane.ports import Edit

_JSON_ROOM: Final = 6 << 20
"""Bytes; images travel inside JSON. Most of what is longer has named its model by then."""
_FORM_ROOM: Final = 1 << 20
"""Bytes; files travel in forms, and most forms name the model before the file."""


class FieldReader(Protocol):
    """Reads the one field that matters out of a body of some kind."""

    @property
    def named(self) -> str | None:
        """The model that the body names, once it is whole."""
        ...

    @property
    def so_far(self) -> str | None:
        """The model that was named up to here."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing that follows can name another."""
        ...

    @property
    def span(self) -> tuple[int, int]:
        """Where in the body that name begins and ends, without its quotes."""
        ...

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the content."""
        ...


class NamedBody:
    """One body as it comes: a form where its head says it is one, else JSON whatever it says."""

    __slots__ = ("_form", "_reader", "_whole", "size")

    def __init__(self, content_type: bytes) -> None:
        boundary = boundary_of(content_type) if is_form(content_type) else None
        self._form = boundary is not None
        self._reader: FieldReader = ModelField() if boundary is None else FormField(boundary)
        self._whole = False
        self.size = 0
        """Bytes so far."""

    @property
    def room(self) -> int:
        """How many bytes of it are kept as a rule until its name is known."""
        return _FORM_ROOM if self._form else _JSON_ROOM

    @property
    def worth_keeping(self) -> bool:
        """Whether also what is longer than that should be kept where there is memory for it.

        Not of a form, whose files may have any length, nor of what turned out to be no JSON.
        """
        return not self._form and not self._reader.over

    @property
    def named(self) -> str | None:
        """The model it names; while it is not whole, the one that was named so far."""
        return self._reader.named if self._whole else self._reader.so_far

    def feed(self, content: bytes, *, last: bool) -> None:
        """Take the next bytes of the content."""
        self.size += len(content)
        self._reader.feed(content)
        self._whole = last

    def renamed(self, name: str) -> tuple[Edit, ...]:
        """Return the change after which it names this model; none where it names nothing."""
        start, end = self._reader.span
        if end <= start:
            return ()
        return (Edit(start, end, (name if self._form else in_json(name)).encode()),)


def in_json(name: str) -> str:
    """Return how a name is written between the quotes of a JSON string."""
    return json.dumps(name)[1:-1]


def growth(edits: Sequence[Edit]) -> int:
    """Return by how many bytes a body is longer after the changes."""
    return sum(len(edit.text) - (edit.end - edit.start) for edit in edits)


def spliced(pieces: Sequence[bytes], edits: Sequence[Edit]) -> list[bytes]:
    """Return the pieces with the changes made, however the pieces are cut."""
    out: list[bytes] = []
    at = 0
    waiting = list(reversed(edits))
    for piece in pieces:
        end = at + len(piece)
        done = at
        while waiting and waiting[-1].start < end:
            edit = waiting[-1]
            if edit.start >= at:
                out += (piece[done - at : edit.start - at], edit.text)
            done = min(edit.end, end)
            if edit.end > end:
                break
            waiting.pop()
        out.append(piece[done - at :])
        at = end
    return [piece for piece in out if piece]
