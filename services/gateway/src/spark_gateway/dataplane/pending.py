"""A request about which nothing is decided yet, with what has come of its body."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from spark_gateway.dataplane import company, refusals
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.named_body import growth, spliced
from spark_gateway.dataplane.plane import Plane
from spark_gateway.dataplane.ports import Edit, Field, Refusal, Visit
from spark_gateway.dataplane.stream_field import asks_for_stream

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_LEAST_ROOM: Final = 65536
_SMALL_PIECE: Final = 4096


class Client(Protocol):
    """The client's connection, as far as what waits on it is concerned."""

    transport: asyncio.Transport
    deadline: float

    @property
    def owes_body(self) -> bool:
        """Whether more of the body is to come."""
        ...

    def update_reading(self) -> None:
        """Read from it exactly while there is room."""
        ...

    @property
    def common_fields(self) -> Sequence[Field]:
        """The server's own fields of every answer."""
        ...


class Pending:
    """Keeps the body, within bounds, while a visit reads it or waits, and the client company."""

    __slots__ = (
        "_asked_to_continue",
        "_client",
        "_ends_at",
        "_held_up",
        "_long",
        "_loop",
        "_pieces",
        "_plane",
        "_request_id",
        "_streams",
        "answered",
        "head",
        "size",
        "visit",
    )

    def __init__(
        self,
        plane: Plane,
        client: Client,
        loop: asyncio.AbstractEventLoop,
        head: RequestHead,
        visit: Visit,
        request_id: bytes,
    ) -> None:
        self.head = head
        self.visit = visit
        self.answered = False
        """Whether the answer has begun, as an event stream that says nothing yet."""
        self.size = 0
        """Bytes kept."""
        self._plane = plane
        self._client = client
        self._loop = loop
        self._request_id = request_id
        self._asked_to_continue = False
        self._held_up = False
        """Whether nothing more of the body was read when somebody last looked."""
        self._long = False
        """Whether its body is kept although it is longer than usual."""
        self._pieces: list[bytes] = []
        self._streams: bool | None = None
        """Whether an event stream is asked for, once that was looked at."""
        self._ends_at = loop.time() + plane.limits.total_seconds
        self._set_deadline()

    @property
    def stuck(self) -> bool:
        """Whether no more of the body should come for now."""
        if not self._client.owes_body:
            return False
        return self.size > max(self._room, _LEAST_ROOM)

    @property
    def _room(self) -> int:
        """How much of the body may be kept now: of what all may keep, bodies that are longer than
        usual use half, so that some of them never leave nothing for the others."""
        plane = self._plane
        most = plane.limits.kept_bytes
        if plane.kept_bytes >= most:
            return 0
        # Longer than the gateway takes at all it never becomes.
        return self.size if self._long and plane.kept_bytes < most // 2 else self.visit.room

    def begin(self, body: bytes = b"") -> None:
        """Start the visit; a client that asks before it sends is told to if it has to be read.

        ``body``: all of it, where that is here already.
        """
        if not self._client.owes_body:
            if body:
                self._put(body)
                self.size = len(body)
                self._plane.kept_bytes += len(body)
            self.visit.begin()
            self.visit.feed(body, last=True)
            return
        if self.head.expects_continue and self.visit.reads:
            self.continue_once()
        self.visit.begin()

    def continue_once(self) -> None:
        """Tell a client that asked to send its body, unless that was done."""
        if self.head.expects_continue and not self._asked_to_continue:
            self._asked_to_continue = True
            self._client.transport.write(CONTINUE)

    def keep(self, content: bytes) -> None:
        """Keep a piece of the body and show it to whoever decides."""
        if content:
            self._put(content)
        self.size += len(content)
        self._plane.kept_bytes += len(content)
        self._set_deadline()
        # The visit may decide, and then all this is given away.
        self.visit.feed(content, last=not self._client.owes_body)
        if self._pieces and self.stuck and not self._goes_on():
            self.visit.full()

    def _goes_on(self) -> bool:
        """Keep more than usual, if that is of use and there is memory for it."""
        self._long = self._long or self.visit.needs_more
        return not self.stuck

    def _put(self, content: bytes) -> None:
        """Keep a piece; small ones together, or each would take many times its size."""
        pieces = self._pieces
        if pieces and len(pieces[-1]) + len(content) <= _SMALL_PIECE:
            pieces[-1] += content
        else:
            pieces.append(content)

    def release(self, edits: Sequence[Edit] = ()) -> list[bytes]:
        """Give the body away, with the changes made, and correct the length that is told."""
        self._plane.kept_bytes -= self.size
        pieces, self._pieces = self._pieces, []
        self.size = 0
        if not edits:
            return pieces
        if self.head.length is not None:
            self.head = self.head.of_length(self.head.length + growth(edits))
        return spliced(pieces, edits)

    def look(self, now: float) -> Refusal | None:
        """The deadline has passed: refuse it, or set the next one."""
        path = self.head.path
        if now >= self._ends_at:
            return refusals.waited_too_long(path)
        if self.stuck:
            # Not the client's fault that it sends nothing. Looked at again in the next sweep.
            self._held_up = True
            self._client.deadline = now
            return None
        if self._held_up:
            # There is room again: others went meanwhile.
            self._held_up = False
            self._set_deadline()
            self._client.update_reading()
            return None
        if self._waits_to_be_asked:
            self._set_deadline()
            return None
        if self._client.owes_body:
            return refusals.bad_request(path, 408, "the body took too long")
        self._keep_company()
        self._set_deadline()
        return None

    @property
    def _waits_to_be_asked(self) -> bool:
        """Whether the client sends its body only once it is told to."""
        return self.head.expects_continue and not self._asked_to_continue and not self.size

    def deny(self, refusal: Refusal) -> None:
        """End the stream that has begun with an error."""
        event = company.closing_error(self.head.path, refusal.body, http10=self.head.http10)
        self._client.transport.write(event)

    def _set_deadline(self) -> None:
        limits = self._plane.limits
        bound = limits.stall_seconds if self._client.owes_body else limits.company_seconds
        self._client.deadline = min(self._ends_at, self._loop.time() + bound)

    def _keep_company(self) -> None:
        """Let a client that waits for an event stream know that it still does."""
        client, http10 = self._client, self.head.http10
        if not self.answered:
            if self._streams is None:
                self._streams = asks_for_stream(b"".join(self._pieces))
            if not self._streams:
                return
            self.answered = True
            client.transport.write(
                company.opening(
                    self.head.path, client.common_fields, self._request_id, http10=http10
                )
            )
        client.transport.write(company.comment(self.visit.position, http10=http10))
