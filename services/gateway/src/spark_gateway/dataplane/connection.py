"""One client connection: cuts its bytes into requests and leads each to whoever answers it.

It reads every request head itself and knows where every message ends. The bytes of a request that
is not data plane go, one whole message after the other, to uvicorn's own class above it. Requests
of one connection are served in order, one at a time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from spark_gateway.dataplane import heads, refusals
from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.free import ANYBODY, UNWATCHED
from spark_gateway.dataplane.intake import RequestIntake
from spark_gateway.dataplane.plane import Plane
from spark_gateway.dataplane.ports import Field, How, Identity, Refusal, Watcher
from spark_gateway.dataplane.sockets import watch_for_silence
from spark_gateway.dataplane.taking import Taking

_IN_A_ROW: Final = 32
"""Requests of one connection that are answered before others get their turn."""
HELD_BYTES: Final = 65536
"""How far ahead a pipelining client may send while it waits for an answer."""
_SKIPPED_BYTES: Final = 1 << 20
"""Longest body that is read to its end after a refusal, to keep the connection."""
NEVER: Final = float("inf")

HEAD: Final = "head"
ASGI: Final = "asgi"
VISIT: Final = "visit"
RELAY: Final = "relay"
SKIP: Final = "skip"
LINGER: Final = "linger"


class ClientConnection(HttpToolsProtocol):
    """What is the same for every request: taking it in, and answering without an upstream.

    ``DataPlaneProtocol`` adds what becomes of those that are data plane.
    """

    plane: ClassVar[Plane]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.deadline = NEVER
        self.caller: Identity = ANYBODY
        self._state = HEAD
        self._intake = RequestIntake(self, self.plane.limits.head_bytes, self.plane.heads)
        self._watcher: Watcher = UNWATCHED
        self._request_id = b""
        self._path = b""
        self._close_after = False
        self._asgi_answered = False
        self._unheard = False
        """Whether nobody reads from the client, so that its end has to be heard otherwise."""
        self._taking = Taking()
        self._held_up = False
        """Whether the next request waits until the client has taken its answers."""
        self._in_a_row = 0

    def _receive(self, head: heads.RequestHead, body: bytes) -> None:
        """Take on a request of the data plane; ``body`` as the intake hands it out."""
        raise NotImplementedError

    def _give_up(self, refusal: Refusal) -> None:
        """Answer once more and end the connection: its bytes or its pace cannot be trusted."""
        raise NotImplementedError

    def expire(self, now: float) -> None:
        """The deadline has passed: end whatever the connection is doing."""
        raise NotImplementedError

    def cut_off(self, why: Callable[[bytes], Refusal]) -> None:
        """Whoever asks may not any more: say so as well as is still possible, and close."""
        raise NotImplementedError

    def update_reading(self) -> None:
        """Read from the client exactly while there is room for what it sends."""
        raise NotImplementedError

    @property
    def owes_body(self) -> bool:
        """Whether more of the body is to come."""
        return self._intake.body is not None

    @property
    def common_fields(self) -> Sequence[Field]:
        """The server's own fields of every answer."""
        return self.server_state.default_headers

    # What the transport and uvicorn tell.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        watch_for_silence(transport)
        self.deadline = self.loop.time() + self.plane.limits.keep_alive_seconds
        self.plane.join(self, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._hear_again()
        self.plane.leave(self)
        self._intake.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads more slowly than we write: it is cut when it takes nothing at all."""
        super().pause_writing()
        self._taking.begin(self.transport)

    def resume_writing(self) -> None:
        """The client caught up."""
        super().resume_writing()
        if self._held_up and self._state == HEAD:
            self._next_request()

    def read_no_more(self) -> None:
        """Do not read from the client for now; hear all the same when it leaves."""
        self.flow.pause_reading()
        if not self._unheard:
            self._unheard = True
            self.plane.departures(self.loop).watch(self.transport, self.transport.abort)

    def read_on(self) -> None:
        """Read from the client again."""
        self._hear_again()
        self.flow.resume_reading()

    def _hear_again(self) -> None:
        if self._unheard:
            self._unheard = False
            self.plane.departures(self.loop).forget(self.transport)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client, cut anywhere."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self._intake.feed(data)
        if self._intake.held_bytes > HELD_BYTES:
            self.update_reading()

    def on_response_complete(self) -> None:
        """The ASGI side has answered."""
        super().on_response_complete()
        self._asgi_answered = True
        if self._intake.body is None:
            self._next_request()

    def send_400_response(self, msg: str) -> None:
        """The parser above could not read what this class let pass."""
        self._reject(refusals.bad_request(self._path, 400, "malformed request"))

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes a WebSocket's, and none of ours."""
        self.plane.leave(self)
        super().handle_websocket_upgrade()

    # What the intake tells.

    def head_began(self) -> None:
        """A head must be complete soon after it began."""
        self.deadline = self.loop.time() + self.plane.limits.head_seconds

    def request_received(self, head: heads.RequestHead, raw: bytes, body: bytes) -> None:
        """A request: relay it, refuse it, or leave it to the ASGI side."""
        self._path = head.path
        self._watcher = UNWATCHED
        self._request_id = head.request_id or self.plane.new_request_id()
        if not head.relayable:
            if head.method not in heads.METHODS:
                # The parser above does not know all that exist, and breaks on those it does not.
                self._give_up(refusals.unknown_method(head.path))
                return
            if not heads.is_data_plane(head):
                self._begin_asgi(heads.asgi_request(raw, head) + body)
                return
            try:
                heads.check_relayable(head)
            except heads.HeadError as error:
                self._give_up(refusals.bad_request(head.path, error.status, error.message))
                return
            if head.websocket:
                self._refuse(refusals.no_websocket(head.path), head)
                return
            head.relayable = True
        self._receive(head, body)

    def body_received(self, content: bytes, raw: bytes) -> None:
        """A part of the body of the request under way."""
        complete = not self.owes_body
        if self._state == ASGI:
            super().data_received(raw)
            if complete:
                self.deadline = NEVER
                if self._asgi_answered:
                    self._next_request()
        elif complete:
            self._next_request()

    def request_malformed(self, error: heads.HeadError | FramingError) -> None:
        """Where the request ends cannot be trusted, so the connection must."""
        if isinstance(error, heads.HeadError):
            self._reject(refusals.bad_request(error.path, error.status, error.message))
        else:
            self._reject(refusals.bad_request(self._path, 400, str(error)))

    def _reject(self, refusal: Refusal) -> None:
        """What comes is not acceptable: say so if that is still possible, and close."""
        cycle = self.cycle if self._state == ASGI else None
        if self._state == ASGI and self._asgi_answered:
            # One request has one answer.
            self._linger()
        elif cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.abort()
        else:
            self._give_up(refusal)

    def _begin_asgi(self, raw: bytes) -> None:
        self._state = ASGI
        self._asgi_answered = False
        # A slow body is bounded by the total; an answer, which may be an event stream, is not.
        bound = NEVER if self._intake.body is None else self.plane.limits.total_seconds
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
        self._state = HEAD
        limits = self.plane.limits
        self.deadline = self.loop.time() + limits.keep_alive_seconds
        self._held_up = self.flow.write_paused
        if self._held_up:
            # Who asks and asks and reads no answer would fill the memory with them.
            self.deadline = self.loop.time() + limits.stall_seconds
            return
        if self._intake.held_bytes:
            self._unset_keepalive_if_required()
            self._in_a_row += 1
            if self._in_a_row % _IN_A_ROW == 0:
                self.loop.call_soon(self._take_next)
                return
        self._take_next()

    def _take_next(self) -> None:
        if not self.transport.is_closing():
            self._intake.next_request()
            self.update_reading()

    def _refuse(self, refusal: Refusal, head: heads.RequestHead) -> None:
        """Answer by ourselves; read the body to its end if that is cheap, else close."""
        body = self._intake.body
        too_much = body is not None and (
            head.chunked or head.expects_continue or (head.length or 0) > _SKIPPED_BYTES
        )
        if too_much or head.close or self._close_after:
            refusal = replace(refusal, close=True)
        self._answer(refusal, head)
        if refusal.close:
            self._linger()
        elif body is not None:
            self._state = SKIP
            self.deadline = self.loop.time() + self.plane.limits.stall_seconds
            self.update_reading()
        else:
            self._next_request()

    def _answer(self, refusal: Refusal, head: heads.RequestHead | None) -> None:
        self._tell_end(refusal.status, "refused")
        if self.transport.is_closing():
            return
        self.server_state.total_requests += 1
        self.plane.meters.refusal(refusal.status)
        request_id = self._request_id if head is not None else self.plane.new_request_id()
        no_body = head is not None and head.method == b"HEAD"
        common = self.server_state.default_headers
        self.transport.write(refusals.render(refusal, common, request_id, no_body=no_body))

    def _tell_end(self, status: int, how: How) -> None:
        watcher, self._watcher = self._watcher, UNWATCHED
        watcher.ended(status, how)

    def _linger(self) -> None:
        """Close for writing and listen on a while: a reset would take the answer with it."""
        self._state = LINGER
        self._intake.stop()
        self.deadline = self.loop.time() + self.plane.limits.linger_seconds
        self._taking.begin(self.transport)
        self.read_on()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        else:
            self.transport.close()
