"""What is worth knowing of one answer, read while it passes. Pure; bytes are never changed."""

from collections.abc import Callable
from typing import Final

from spark_gateway.metering.kinds import Kind
from spark_gateway.metering.usage import Usage, UsageField

_HEAD: Final = b"HTTP/1."
_EVENTS: Final = b"text/event-stream"
_CODED: Final = b"\r\ncontent-encoding:"


class AnswerReading:
    """Follows the bytes of one answer as the client gets them; a head comes whole."""

    __slots__ = ("_field", "_kind", "_now", "bytes", "events", "first_byte_at", "first_token_at")

    def __init__(self, kind: Kind, now: Callable[[], float]) -> None:
        self._kind = kind
        self._now = now
        self._field: UsageField | None = None
        self.bytes = 0
        """Passed so far, head and framing included."""
        self.events = -1
        """Of a stream: those that carry a token or so; negative for every other answer."""
        self.first_byte_at: float | None = None
        self.first_token_at: float | None = None
        """Of a stream; an answer in one piece has no first token that anybody sees."""

    def feed(self, data: bytes) -> None:
        """Take what passes."""
        if self.first_byte_at is None:
            self._read_head(data)
        self.bytes += len(data)
        field = self._field
        if field is None:
            return
        if self.events >= 0:
            mark = self._kind.token_mark
            found = data.count(mark)
            if data.startswith(mark[1:]):
                found += 1
            if found:
                if not self.events:
                    self.first_token_at = self._now()
                self.events += found
        field.feed(data)

    def usage(self, *, complete: bool) -> tuple[Usage, bool]:
        """Return the tokens, and whether they are only estimated from what passed."""
        said = self._field.read() if self._field is not None else Usage()
        if self.events <= 0 or (complete and said.completion is not None):
            return said, False
        passed = self._kind.tokens(self.events, complete=complete)
        if passed <= (said.completion or 0):
            return said, False
        # It broke off before the sum, or there was to be none.
        return said._replace(completion=passed), True

    def _read_head(self, data: bytes) -> None:
        """Find out what is coming; of compressed content nothing can be read."""
        self.first_byte_at = self._now()
        if not data.startswith(_HEAD):
            # The client has its head already: a stream that began while it waited goes on.
            self.events = 0
            self._field = UsageField()
            return
        head = data[: data.find(b"\r\n\r\n") + 2].lower()
        if _CODED in head:
            return
        self._field = UsageField()
        if _EVENTS in head:
            self.events = 0
