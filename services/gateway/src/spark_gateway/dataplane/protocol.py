"""The client's side: a uvicorn protocol class that keeps the data plane out of ASGI.

It reads every request head itself and knows where every message ends. A data-plane request becomes
an Exchange; the bytes of any other request go, one whole message after the other, to uvicorn's own
class above it. Requests of one connection are served in order, one at a time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from spark_gateway.dataplane import heads, refusals
from spark_gateway.dataplane.exchange import Exchange
from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.intake import RequestIntake
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.plane import Plane
from spark_gateway.dataplane.ports import Refusal, Router, Screen, Screening, no_screening
from spark_gateway.dataplane.sockets import hung_up, watch_for_silence

_HELD_BYTES: Final = 65536
"""How far ahead a pipelining client may send while it waits for an answer."""
_SKIPPED_BYTES: Final = 1 << 20
"""Longest body that is read to its end after a refusal, to keep the connection."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_NEVER: Final = float("inf")

_HEAD: Final = "head"
_ASGI: Final = "asgi"
_RELAY: Final = "relay"
_SKIP: Final = "skip"
_LINGER: Final = "linger"


class DataPlaneProtocol(HttpToolsProtocol):
    """One client connection. Made through ``make_protocol``, which binds ``plane``."""

    plane: ClassVar[Plane]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.deadline = _NEVER
        self._ends_at = _NEVER
        self._state = _HEAD
        self._intake = RequestIntake(self, self.plane.limits.head_bytes)
        self._exchange: Exchange | None = None
        self._screen: Screen | None = None
        self._path = b""
        self._body_bytes = 0
        self._close_after = False
        self._asgi_answered = False

    # What the transport tells.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        watch_for_silence(transport)
        self.deadline = self.loop.time() + self.plane.limits.keep_alive_seconds
        self.plane.join(self, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; whatever is done for it stops now."""
        self.plane.leave(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abort()
        self._intake.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client, cut anywhere."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self._intake.feed(data)
        if self._intake.held_bytes > _HELD_BYTES:
            self.update_reading()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        super().pause_writing()
        if self._exchange is not None:
            self._exchange.pause_answer()

    def resume_writing(self) -> None:
        """The client caught up."""
        super().resume_writing()
        if self._exchange is not None:
            self._exchange.resume_answer()

    # What uvicorn tells.

    def shutdown(self) -> None:
        """The server stops: finish the answer under way, within bounds, then close."""
        if self._state == _ASGI:
            super().shutdown()
        elif self._exchange is None:
            self.transport.close()
        else:
            self._close_after = True
            self._exchange.answer.close = True
            self._ends_at = min(self._ends_at, self.loop.time() + self.plane.limits.drain_seconds)
            self.deadline = min(self.deadline, self._ends_at)

    def on_response_complete(self) -> None:
        """The ASGI side has answered."""
        super().on_response_complete()
        self._asgi_answered = True
        if self._intake.body is None:
            self._next_request()

    def send_400_response(self, msg: str) -> None:
        """The parser above could not read what this class let pass."""
        self._reject_body(refusals.bad_request(self._path, 400, "malformed request"))

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes a WebSocket's, and none of ours."""
        self.plane.leave(self)
        super().handle_websocket_upgrade()

    # What the exchange tells.

    @property
    def write_paused(self) -> bool:
        """Whether the client reads more slowly than we write."""
        return self.flow.write_paused

    def update_reading(self) -> None:
        """Read from the client exactly while there is room for what it sends."""
        exchange = self._exchange
        if exchange is not None and exchange.congested:
            self.flow.pause_reading()
            # A client that leaves is not heard while nobody reads, so the sweep looks after it.
            self.deadline = min(self.deadline, self.loop.time())
        elif self._intake.held_bytes > _HELD_BYTES:
            self.flow.pause_reading()
        elif self.flow.read_paused:
            self.flow.resume_reading()
            if exchange is not None:
                self._set_relay_deadline(exchange)

    def answer_began(self) -> None:
        """The head of the answer has been passed on."""
        self.deadline = self._ends_at

    def exchange_ended(self, *, close: bool) -> None:
        """The answer is complete; ``close`` when the client was told that the connection ends."""
        self._exchange = None
        self.server_state.total_requests += 1
        if close or self._close_after or self._intake.body is not None:
            self._linger()
        else:
            self._next_request()

    def exchange_refused(self, refusal: Refusal) -> None:
        """There is no answer from the upstream; give our own."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._refuse(refusal, exchange.head)

    def exchange_broken(self, last_words: bytes | None) -> None:
        """The answer cannot be completed; the client must see that it is not complete."""
        self._exchange = None
        if last_words is None:
            self.transport.abort()
            return
        self.transport.write(last_words)
        self._linger()

    # Time.

    def expire(self, now: float) -> None:
        """The deadline has passed: end whatever the connection is doing."""
        exchange = self._exchange
        if self._state == _HEAD and not self.transport.is_closing():
            if self._intake.held_bytes:
                self._give_up(refusals.bad_request(b"", 408, "the request head took too long"))
            else:
                self._linger()
        elif exchange is None or self.transport.is_closing() or hung_up(self.transport):
            self.transport.abort()
        elif now < self._ends_at and exchange.congested:
            # Not the client's fault that it sends nothing. Looked at again in the next sweep.
            self.deadline = now
        elif now < self._ends_at and exchange.begun:
            self.deadline = self._ends_at
        elif exchange.begun:
            exchange.abort(overdue=True)
            self.exchange_broken(exchange.last_words(too_long=True))
        elif self._intake.body is not None:
            self._give_up(refusals.bad_request(exchange.head.path, 408, "the body took too long"))
        else:
            exchange.abort(overdue=True)
            self._give_up(refusals.upstream_silent(exchange.head.path))

    def _set_relay_deadline(self, exchange: Exchange) -> None:
        if exchange.begun:
            return
        limits = self.plane.limits
        bound = limits.first_byte_seconds if self._intake.body is None else limits.stall_seconds
        self.deadline = min(self._ends_at, self.loop.time() + bound)

    # What the intake tells.

    def head_began(self) -> None:
        """A head must be complete soon after it began."""
        self.deadline = self.loop.time() + self.plane.limits.head_seconds

    def request_received(self, head: heads.RequestHead, raw: bytes) -> None:
        """A request: relay it, refuse it, or leave it to the ASGI side."""
        self._path = head.path
        if head.method not in heads.METHODS:
            # The parser above does not know all that exist, and breaks on those it does not.
            self._give_up(refusals.unknown_method(head.path))
            return
        if not heads.is_data_plane(head):
            self._begin_asgi(heads.asgi_request(raw, head))
            return
        try:
            heads.check_relayable(head)
        except heads.HeadError as error:
            self._give_up(refusals.bad_request(head.path, error.status, error.message))
        else:
            self._begin_relay(head)

    def body_received(self, content: bytes, raw: bytes) -> None:
        """A part of the body of the request under way."""
        exchange = self._exchange
        complete = self._intake.body is None
        if exchange is not None:
            self._relay_body(exchange, content)
        elif self._state == _ASGI:
            super().data_received(raw)
            if complete:
                self.deadline = _NEVER
                if self._asgi_answered:
                    self._next_request()
        elif complete:
            self._next_request()

    def request_malformed(self, error: heads.HeadError | FramingError) -> None:
        """Where the request ends cannot be trusted, so the connection must."""
        if isinstance(error, heads.HeadError):
            self._reject_body(refusals.bad_request(error.path, error.status, error.message))
        else:
            self._reject_body(refusals.bad_request(self._path, 400, str(error)))

    def _begin_relay(self, head: heads.RequestHead) -> None:
        plane, now = self.plane, self.loop.time()
        limits = plane.limits
        if head.length is not None and head.length > limits.body_bytes:
            self._refuse(refusals.body_too_large(head.path, limits.body_bytes), head)
            return
        peer = self.client[0] if self.client else None
        upstream = plane.route(head, peer)
        if isinstance(upstream, Refusal):
            self._refuse(upstream, head)
            return
        if head.expects_continue and self._intake.body is not None:
            self.transport.write(_CONTINUE)
        self._state = _RELAY
        self._body_bytes = 0
        exchange = self._exchange = Exchange(
            self,
            head,
            upstream,
            plane.pool(upstream, self.loop),
            plane.meters.upstream(upstream.name),
            self.loop,
            head.request_id or plane.new_request_id(),
            plane.served_name(),
        )
        self._ends_at = now + limits.total_seconds
        self._set_relay_deadline(exchange)
        if self._intake.body is None:
            self._screen = None
            exchange.complete_body()
        else:
            self._screen = plane.screen(head, upstream, peer)
        if self._screen is None:
            exchange.start()

    def _relay_body(self, exchange: Exchange, content: bytes) -> None:
        body, limit = self._intake.body, self.plane.limits.body_bytes
        self._body_bytes += len(content)
        if self._body_bytes > limit:
            self._reject_body(refusals.body_too_large(exchange.head.path, limit))
            return
        screen = self._screen
        if screen is not None and self._stopped_by(screen, exchange, content):
            return
        if content:
            exchange.send(content)
        if body is None:
            exchange.complete_body()
        if screen is not None and (body is None or exchange.congested):
            # What is looked at is sent when it is known to pass, or when there is too much of it
            # to keep: no model server answers before it has the last byte.
            exchange.start_once()
        self._set_relay_deadline(exchange)
        if exchange.congested:
            self.update_reading()

    def _stopped_by(self, screen: Screen, exchange: Exchange, content: bytes) -> bool:
        """Show a part of the body before it is passed on; say whether that was its end."""
        screen.feed(content)
        if self._intake.body is not None:
            return False
        self._screen = None
        refusal = screen.verdict()
        if refusal is None or exchange.begun:
            return False
        self._exchange = None
        exchange.withdraw()
        self._refuse(refusal, exchange.head)
        return True

    def _begin_asgi(self, raw: bytes) -> None:
        self._state = _ASGI
        self._asgi_answered = False
        # A slow body is bounded by the total; an answer, which may be an event stream, is not.
        bound = _NEVER if self._intake.body is None else self.plane.limits.total_seconds
        self.deadline = self.loop.time() + bound
        super().data_received(raw)
        protocol = self.transport.get_protocol()
        if protocol is not self:
            rest = self._intake.stop()
            if rest and isinstance(protocol, asyncio.Protocol):
                protocol.data_received(rest)

    # Ending.

    def _next_request(self) -> None:
        """Go on with what the client sent meanwhile, or wait for more."""
        if self.transport.is_closing():
            self._intake.stop()
            return
        self._state = _HEAD
        self.deadline = self.loop.time() + self.plane.limits.keep_alive_seconds
        if self._intake.held_bytes:
            self._unset_keepalive_if_required()
        self._intake.next_request()
        self.update_reading()

    def _refuse(self, refusal: Refusal, head: heads.RequestHead) -> None:
        """Answer by ourselves; read the body to its end if that is cheap, else close."""
        body = self._intake.body
        too_much = body is not None and (head.chunked or (head.length or 0) > _SKIPPED_BYTES)
        if too_much or head.close or head.expects_continue or self._close_after:
            refusal = replace(refusal, close=True)
        self._answer(refusal, head)
        if refusal.close:
            self._linger()
        elif body is not None:
            self._state = _SKIP
            self.deadline = self.loop.time() + self.plane.limits.stall_seconds
            self.update_reading()
        else:
            self._next_request()

    def _reject_body(self, refusal: Refusal) -> None:
        """The body is not acceptable: say so if that is still possible, and close."""
        exchange = self._exchange
        if exchange is not None and exchange.begun:
            exchange.abort()
            self.exchange_broken(exchange.last_words())
        elif self._state == _ASGI and self.cycle.response_started:
            self.transport.abort()
        else:
            self._give_up(refusal)

    def _give_up(self, refusal: Refusal) -> None:
        """Answer once more and end the connection: its bytes or its pace cannot be trusted."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abort()
        elif self._state == _ASGI:
            # The application is told that the client left, so that it does not answer after us.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._answer(replace(refusal, close=True), exchange.head if exchange is not None else None)
        self._linger()

    def _answer(self, refusal: Refusal, head: heads.RequestHead | None) -> None:
        if self.transport.is_closing():
            return
        self.server_state.total_requests += 1
        self.plane.meters.refusal(refusal.status)
        request_id = (head.request_id if head is not None else None) or self.plane.new_request_id()
        no_body = head is not None and head.method == b"HEAD"
        common = self.server_state.default_headers
        self.transport.write(refusals.render(refusal, common, request_id, no_body=no_body))

    def _linger(self) -> None:
        """Close for writing and listen on a while: a reset would take the answer with it."""
        self._state = _LINGER
        self._intake.stop()
        self.deadline = self.loop.time() + self.plane.limits.linger_seconds
        self.flow.resume_reading()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        else:
            self.transport.close()


def make_protocol(
    router: Router,
    limits: Limits,
    meters: Meters,
    own: OwnQuestion | None = None,
    served_name: Callable[[], str] = lambda: "",
    screening: Screening = no_screening,
) -> type[DataPlaneProtocol]:
    """The class to give to uvicorn as ``http``; one per server: it carries the shared state."""
    shared = Plane(router, limits, meters, own, served_name, screening)

    class BoundDataPlaneProtocol(DataPlaneProtocol):
        """A connection of this server."""

        plane = shared

    return BoundDataPlaneProtocol
