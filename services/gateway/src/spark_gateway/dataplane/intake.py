"""Cuts a client's bytes into requests and hands them out one at a time."""

import re
from typing import Protocol

from spark_gateway.dataplane.bodies import RequestBody
from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.heads import (
    HeadError,
    RequestHead,
    find_head,
    likely_path,
)
from spark_gateway.dataplane.known_heads import KnownHeads
from spark_gateway.dataplane.repeated import NO_LENGTH

_EMPTY_LINES = re.compile(rb"(?:\r\n)++")


class Sink(Protocol):
    """Takes the requests of one connection."""

    def head_began(self) -> None:
        """The first part of a head is here; the rest is not."""
        ...

    def request_received(self, head: RequestHead, raw: bytes, body: bytes) -> None:
        """A head is complete. The next one comes only after ``RequestIntake.next_request``.

        ``body``: all of it, where it came with the head; nothing more comes then.
        """
        ...

    def body_received(self, content: bytes, raw: bytes) -> None:
        """A part of the body: its content, and the bytes it came in."""
        ...

    def request_malformed(self, error: HeadError | FramingError) -> None:
        """What came is no request. Nothing more will be handed out."""
        ...


class RequestIntake:
    """Reads ahead of the request that is being answered, but hands nothing of it out."""

    __slots__ = (
        "_began",
        "_busy",
        "_handing_out",
        "_heads",
        "_held",
        "_known",
        "_limit",
        "_scanned",
        "_sink",
        "_stopped",
        "body",
    )

    def __init__(self, sink: Sink, head_limit: int, heads: KnownHeads) -> None:
        """``heads``: what reads them, of this connection and of others."""
        self._sink = sink
        self._heads = heads
        self._limit = head_limit
        self._held = b""
        self._known = heads.last
        """The last head of this connection: most clients have but one. At first that of another
        connection: most clients are alike."""
        self._scanned = 0
        self.body: RequestBody | None = None
        """The body that is still owed; None once it is complete."""
        self._began = False
        """Whether the sink knows of the head. Empty lines before one give it no more time."""
        self._busy = False
        self._handing_out = False
        self._stopped = False

    @property
    def held_bytes(self) -> int:
        """How much has been read ahead, or of a head that is not complete."""
        return len(self._held)

    @property
    def likely_path(self) -> bytes:
        """What is probably asked for by the head that is not complete."""
        return likely_path(self._held)

    def feed(self, data: bytes) -> None:
        """Take bytes, cut anywhere."""
        if not self._stopped:
            self._held = self._held + data if self._held else data
            self._hand_out()

    def next_request(self) -> None:
        """The request handed out last has been dealt with."""
        self._busy = False
        self._hand_out()

    def stop(self) -> bytes:
        """Hand nothing out any more; return what had not been."""
        self._stopped = True
        self.body = None
        rest, self._held = self._held, b""
        return rest

    def _hand_out(self) -> None:
        if self._handing_out:
            # A sink answered while being told; the loop below goes on by itself.
            return
        self._handing_out = True
        try:
            while self._held:
                if self.body is not None:
                    self._take_body(self.body)
                elif self._busy or not self._take_head():
                    return
        except (HeadError, FramingError) as error:
            if isinstance(error, HeadError):
                error.path = likely_path(self._held)
            body = self.body
            self.stop()
            self.body = body
            self._sink.request_malformed(error)
        finally:
            self._handing_out = False

    def _take_head(self) -> bool:
        data = self._held
        if data.startswith(b"\r\n"):
            # All of them: one by one a flood of them would be copied again for each.
            self._held = _EMPTY_LINES.sub(b"", data, count=1)
            self._scanned = 0
            return True
        known = self._known
        found = known.find(data) if known is not None else None
        if known is None or found is None:
            end = find_head(data, self._scanned, self._limit)
            if not end:
                if not self._began:
                    self._began = True
                    self._sink.head_began()
                self._scanned = len(data)
                return False
            known, length = self._heads.read(data[:end])
            self._known = known
        else:
            end, length = found
        head = known.read if length == NO_LENGTH else known.read.of_length(length)
        # With what others found out about it.
        known.read = head
        self._scanned = 0
        self._began = False
        self._busy = True
        whole = end + (head.length or 0)
        if head.chunked or whole > len(data):
            self._held = data[end:]
            self.body = RequestBody(head.length, chunked=head.chunked)
            self._sink.request_received(head, data[:end], b"")
        else:
            self._held = data[whole:]
            self._sink.request_received(head, data[:end], data[end:whole])
        return True

    def _take_body(self, body: RequestBody) -> None:
        data = self._held
        end, content = body.take(data)
        if end == len(data):
            raw, self._held = data, b""
        else:
            raw, self._held = data[:end], data[end:]
        if body.complete:
            self.body = None
        self._sink.body_received(content, raw)
