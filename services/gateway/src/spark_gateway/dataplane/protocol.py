"""The client's side: a uvicorn protocol class that keeps the data plane out of ASGI.

A data-plane request is received by the desk and becomes an Exchange, at once or after a while in
which it is Pending.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from spark_gateway.dataplane import company, refusals
from spark_gateway.dataplane.caller_field import told_to
from spark_gateway.dataplane.connection import ASGI, HELD_BYTES, LINGER, RELAY, VISIT
from spark_gateway.dataplane.exchange import Exchange
from spark_gateway.dataplane.free import ANYBODY, nobody_watches
from spark_gateway.dataplane.heads import RequestHead, upstream_request
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.named_body import growth, spliced
from spark_gateway.dataplane.overdue import TimedConnection
from spark_gateway.dataplane.pending import CONTINUE, Pending
from spark_gateway.dataplane.plane import Plane
from spark_gateway.dataplane.ports import (
    Desk,
    Passage,
    Refusal,
    Visit,
    Watching,
)


class DataPlaneProtocol(TimedConnection):
    """One client connection. Made through ``make_protocol``, which binds ``plane``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._trial: Visit | None = None
        """What has the last word about a body that is on its way up already."""
        self._body_bytes = 0
        self._body_limit = 0

    # What the transport and uvicorn tell.

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; whatever is done for it stops now."""
        self._let_go()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """The client will send no more: it left. What was written is still flushed, if it reads.

        One that only half-closed cannot be told from it before its upstream has worked in vain.
        """
        self._let_go()
        self._intake.stop()
        self.deadline = self.loop.time() + self.plane.limits.linger_seconds
        if self._state != ASGI:
            self._state = LINGER
            self._taking.begin(self.transport)

    def _let_go(self) -> None:
        """Stop whatever is done for a client that is gone."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abort()
        self._drop_pending()
        self._tell_end(exchange.answer.status if exchange is not None else 0, "left")

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        super().pause_writing()
        if self._exchange is not None:
            self._exchange.pause_answer()
            self._judge_after(self.plane.limits.stall_seconds)

    def resume_writing(self) -> None:
        """The client caught up."""
        super().resume_writing()
        if self._exchange is not None:
            self._exchange.resume_answer()
            self._judge_after(self.plane.limits.silence_seconds)

    def shutdown(self) -> None:
        """The server stops: finish the answer under way, within bounds, then close."""
        if self._state == ASGI:
            super().shutdown()
        elif self._pending is not None:
            self._deny(refusals.going_away(self._path))
        elif self._exchange is None:
            self.transport.close()
        else:
            self._close_after = True
            self._exchange.answer.close = True
            self._ends_at = min(self._ends_at, self.loop.time() + self.plane.limits.drain_seconds)
            self.deadline = min(self.deadline, self._ends_at)

    # What the exchange tells.

    def update_reading(self) -> None:
        """Read from the client exactly while there is room for what it sends."""
        exchange, pending = self._exchange, self._pending
        stuck = (
            pending.stuck if pending is not None else exchange is not None and exchange.congested
        )
        if stuck:
            self.read_no_more()
            # What it does not send now is not its fault: the sweep looks again.
            self.deadline = min(self.deadline, self.loop.time())
        elif self._intake.held_bytes > HELD_BYTES:
            self.read_no_more()
        elif self.flow.read_paused or self._unheard:
            self.read_on()
            if exchange is not None:
                self._set_relay_deadline(exchange)

    def exchange_ended(self, *, close: bool) -> None:
        """The answer is complete; ``close`` when the client was told that the connection ends."""
        if self._exchange is not None:
            self._tell_end(self._exchange.answer.status, "complete")
        self._exchange = None
        self.server_state.total_requests += 1
        if close or self._close_after or self.owes_body:
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
        if self._exchange is not None:
            self._tell_end(self._exchange.answer.status, "broken")
        self._exchange = None
        if last_words is None:
            self.transport.abort()
            return
        self.transport.write(last_words)
        self._linger()

    # What the intake tells.

    def body_received(self, content: bytes, raw: bytes) -> None:
        """A part of the body of the request under way."""
        if self._exchange is not None:
            self._relay_body(self._exchange, content)
        elif (pending := self._pending) is not None:
            if self._count_body(pending.head, content):
                pending.keep(content)
                if self._pending is pending:
                    # Still nothing is decided: a decision sees to it itself.
                    self.update_reading()
        else:
            super().body_received(content, raw)

    def _receive(self, head: RequestHead, body: bytes) -> None:
        """Have the desk decide about a request of the data plane."""
        plane = self.plane
        peer = self.client[0] if self.client else None
        watcher = self._watcher = plane.watching(head, peer, self._request_id, body)
        self._body_bytes = len(body)
        self._trial = None
        self.caller = ANYBODY
        limit = self._body_limit = plane.body_limit(head.path)
        if head.length is not None and head.length > limit:
            self._refuse(refusals.body_too_large(head.path, limit), head)
            return
        goal = plane.desk.receive(head, peer, watcher, self, body)
        if isinstance(goal, Passage):
            if head.expects_continue and self.owes_body:
                self.transport.write(CONTINUE)
            if goal.edits:
                head = head.of_length(len(body) + growth(goal.edits))
                self._relay(head, goal, spliced((body,), goal.edits))
            else:
                self._relay(head, goal, (body,) if body else ())
        elif isinstance(goal, Refusal):
            self._refuse(goal, head)
        else:
            self._state = VISIT
            pending = Pending(plane, self, self.loop, head, goal, self._request_id)
            self._pending = pending
            pending.begin(body)

    # While nothing is decided.

    def decided(self, outcome: Passage | Refusal) -> None:
        """What becomes of the request that waited. See ``Host``."""
        pending = self._pending
        if pending is None:
            return
        if isinstance(outcome, Refusal):
            self._deny(outcome)
            return
        self._pending = None
        if outcome.on_trial:
            self._trial = pending.visit
        if self.owes_body:
            pending.continue_once()
        pieces = pending.release(outcome.edits)
        self._relay(pending.head, outcome, pieces, continues=pending.answered)
        self.update_reading()

    def _deny(self, refusal: Refusal) -> None:
        """Refuse what waited, in the stream if that has begun."""
        pending = self._drop_pending()
        if pending is None:
            return
        if not pending.answered:
            self._refuse(refusal, pending.head)
            return
        self._tell_end(refusal.status, "refused")
        self.plane.meters.refusal(refusal.status)
        self.server_state.total_requests += 1
        pending.deny(refusal)
        self._linger()

    def _drop_pending(self) -> Pending | None:
        """Nothing is to be decided any more."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.release()
            pending.visit.left()
        return pending

    # Once it is.

    def _relay(
        self,
        head: RequestHead,
        passage: Passage,
        pieces: Sequence[bytes] = (),
        *,
        continues: bool = False,
    ) -> None:
        plane, upstream, caller = self.plane, passage.upstream, self.caller
        self._state = RELAY
        pool = plane.pool(upstream, self.loop)
        told = told_to(upstream, caller, self.client[0] if self.client else None)
        exchange = self._exchange = Exchange(
            self,
            head,
            upstream,
            pool,
            plane.meters.upstream(upstream.name),
            self.loop,
            self._request_id,
            upstream_request(head, upstream, self._request_id, told, keyless=caller.by_key),
            plane.served_name(),
            company.answer_to(head, self._request_id, pool.heads, continues=continues),
            self._watcher,
            passage.ticket,
        )
        exchange.start(pieces, complete=not self.owes_body)
        self._ends_at = self.loop.time() + plane.limits.total_seconds
        self._set_relay_deadline(exchange)

    def _relay_body(self, exchange: Exchange, content: bytes) -> None:
        if not self._count_body(exchange.head, content):
            return
        complete = not self.owes_body
        if self._trial is not None and self._stopped_by(self._trial, exchange, content):
            return
        if content:
            exchange.send(content)
        if complete:
            exchange.complete_body()
        self._set_relay_deadline(exchange)
        if exchange.congested:
            self.update_reading()

    def _count_body(self, head: RequestHead, content: bytes) -> bool:
        """Note a part of the body; return whether it may be as long as that."""
        if self._watcher.wants_body:
            self._watcher.received(content)
        self._body_bytes += len(content)
        if self._body_bytes > self._body_limit:
            self._reject(refusals.body_too_large(head.path, self._body_limit))
            return False
        return True

    def _stopped_by(self, visit: Visit, exchange: Exchange, content: bytes) -> bool:
        """Show a part of a body on trial before it is passed on; say whether that was its end."""
        last = not self.owes_body
        visit.feed(content, last=last)
        if not last:
            return False
        self._trial = None
        refusal = visit.verdict()
        if refusal is None:
            return False
        if exchange.begun:
            # No server answers a body it has not seen the end of, and this one will not see it.
            exchange.abort()
            event = company.error_event(exchange.head.path, refusal.body)
            self.exchange_broken(exchange.answer.last_words(event))
            return True
        self._exchange = None
        exchange.withdraw()
        self._refuse(refusal, exchange.head)
        return True

    # Ending.

    def cut_off(self, why: Callable[[bytes], Refusal]) -> None:
        """Whoever asks may not any more: say so as well as is still possible, and close."""
        exchange = self._exchange
        if self._pending is not None:
            self._deny(why(self._path))
        elif exchange is None:
            return
        elif exchange.begun:
            exchange.abort()
            event = company.error_event(self._path, why(self._path).body)
            self.exchange_broken(exchange.answer.last_words(event))
        else:
            self._give_up(why(self._path))

    def _reject(self, refusal: Refusal) -> None:
        """The body is not acceptable: say so if that is still possible, and close."""
        exchange = self._exchange
        if exchange is not None and exchange.begun:
            exchange.abort()
            self.exchange_broken(exchange.last_words())
        else:
            super()._reject(refusal)

    def _give_up(self, refusal: Refusal) -> None:
        """Answer once more and end the connection: its bytes or its pace cannot be trusted."""
        exchange, self._exchange = self._exchange, None
        pending = self._drop_pending()
        if exchange is not None:
            exchange.abort()
        elif self._state == ASGI and self.cycle is not None:
            # The application is told that the client left, so that it does not answer after us.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        head = exchange.head if exchange is not None else pending.head if pending else None
        self._answer(replace(refusal, close=True), head)
        self._linger()


def make_protocol(
    desk: Desk,
    limits: Limits,
    meters: Meters,
    served_name: Callable[[], str] = lambda: "",
    watching: Watching = nobody_watches,
    body_limit: Callable[[bytes], int] | None = None,
) -> type[DataPlaneProtocol]:
    """The class to give to uvicorn as ``http``; one per server: it carries the shared state."""
    shared = Plane(desk, limits, meters, served_name, watching, body_limit)

    class BoundDataPlaneProtocol(DataPlaneProtocol):
        """A connection of this server."""

        plane = shared

    return BoundDataPlaneProtocol
