"""What is worth knowing of an answer in pieces, read while it passes. Pure; it changes nothing.

A piece that passes is only put aside; a handful of them is read at once, since a stream has many.
"""

from collections.abc import Callable
from typing import Final

from spark_gateway.metering.kinds import kind_of
from spark_gateway.metering.usage import NOTHING, Usage, UsageField

_HEAD: Final = b"HTTP/1."
_HEAD_END: Final = b"\r\n\r\n"
_EVENTS: Final = b"text/event-stream"
_LONGEST_HEAD: Final = 4096
"""Further behind no server says of what type its answer is."""
_AT_ONCE: Final = 32
MOST_BYTES: Final = 65536
"""Read as soon as so much was put aside of an answer in one piece."""


class AnswerReading:
    """Follows the bytes of one answer as the client gets them; a head comes whole."""

    # Defaults of the class, so that an answer pays only for what it sets.
    size = 0
    """Read so far, head and framing included."""
    events = -1
    """Of a stream: those that carry a token or so; negative for every other answer."""
    first_byte_at: float | None = None
    first_token_at: float | None = None
    """Of a stream; an answer in one piece has no first token that anybody sees."""
    _room = 1
    """How many pieces may still be put aside."""
    _field: UsageField | None = None

    def __init__(self, path: bytes, now: Callable[[], float]) -> None:
        """``path``: of the request; it decides how a token looks in a stream."""
        self._path = path
        self._now = now
        self._aside: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take what passes."""
        self._aside.append(data)
        self._room -= 1
        if not self._room:
            self._look()

    def finish(self) -> None:
        """Read what was put aside."""
        if self._aside:
            self._read()

    def usage(self, *, complete: bool) -> tuple[Usage, bool]:
        """Return the tokens, and whether they are only estimated from what passed."""
        said = self._field.read() if self._field is not None else NOTHING
        if self.events <= 0 or (complete and said.completion is not None):
            return said, False
        passed = kind_of(self._path).tokens(self.events, complete=complete)
        if passed <= (said.completion or 0):
            return said, False
        # It broke off before the sum, or there was to be none.
        return said._replace(completion=passed), True

    def _look(self) -> None:
        first = self.first_byte_at is None
        if first:
            self.first_byte_at = self._now()
            piece = self._aside[0]
            # Events follow also where the client had its head already, while it waited.
            position = piece.find(_EVENTS, 0, _LONGEST_HEAD)
            if 0 <= position < piece.find(_HEAD_END) or not piece.startswith(_HEAD):
                self.events = 0
        if self.events >= 0:
            self._read()
            self._room = _AT_ONCE if self.events else 1
        elif first and len(self._aside[0]) < MOST_BYTES:
            # Most answers are over with this: nothing is worth doing before that.
            self._room = 2
        else:
            self._read()
            self._room = 1

    def _read(self) -> None:
        """Read all that was put aside, as one."""
        aside = self._aside
        block = aside[0] if len(aside) == 1 else b"".join(aside)
        aside.clear()
        self.size += len(block)
        field = self._field
        if field is None:
            field = self._field = UsageField()
        if self.events >= 0:
            mark = kind_of(self._path).token_mark
            found = block.count(mark) + block.startswith(mark[1:])
            if found and not self.events:
                self.first_token_at = self._now()
            self.events += found
        field.feed(block)
