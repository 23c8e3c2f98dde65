"""What time does to a client connection: whoever takes too long is told so, or cut off.

The sweep of the plane calls ``expire`` once the deadline of a connection has passed.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from spark_gateway.dataplane import company, refusals
from spark_gateway.dataplane.connection import HEAD, LINGER, NEVER, ClientConnection
from spark_gateway.dataplane.exchange import Exchange
from spark_gateway.dataplane.pending import Pending
from spark_gateway.dataplane.ports import Refusal
from spark_gateway.dataplane.sockets import hung_up


class TimedConnection(ClientConnection):
    """Bounds how long each state of a connection may last.

    ``DataPlaneProtocol`` leads it from one state to the next.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._pending: Pending | None = None
        self._exchange: Exchange | None = None
        self._ends_at = NEVER
        self._judge_at = 0.0
        """Until then neither side of an answer under way can have been silent for too long."""

    def exchange_broken(self, last_words: bytes | None) -> None:
        """The answer cannot be completed; the client must see that it is not complete."""
        raise NotImplementedError

    def _deny(self, refusal: Refusal) -> None:
        """Refuse what waited, in the stream if that has begun."""
        raise NotImplementedError

    @property
    def write_paused(self) -> bool:
        """Whether the client reads more slowly than we write."""
        return self.flow.write_paused

    def answer_began(self) -> None:
        """The head of the answer has been passed on."""
        limits = self.plane.limits
        self._judge_after(limits.stall_seconds if self.write_paused else limits.silence_seconds)

    def _judge_after(self, seconds: float) -> None:
        self._judge_at = self.loop.time() + seconds
        self.deadline = min(self._ends_at, self._judge_at)

    def expire(self, now: float) -> None:
        """The deadline has passed: end whatever the connection is doing."""
        exchange, limits = self._exchange, self.plane.limits
        if self._state == HEAD and not self.transport.is_closing():
            self._end_waiting(now)
        elif self._closes and self._taking.goes_on(self.transport):
            self.deadline = now + limits.linger_seconds
        elif self.transport.is_closing() or hung_up(self.transport):
            self.transport.abort()
        elif self._pending is not None:
            refusal = self._pending.look(now)
            if refusal is not None:
                self._deny(refusal)
        elif exchange is None:
            self.transport.abort()
        else:
            self._look_at_exchange(exchange, now)

    @property
    def _closes(self) -> bool:
        """Whether nothing is left to do but that the client takes what it was sent."""
        return self._state == LINGER or (self._exchange is None and self.transport.is_closing())

    def _end_waiting(self, now: float) -> None:
        """No request has come in time, or none could be answered."""
        if self._held_up and self._taking.goes_on(self.transport):
            self.deadline = now + self.plane.limits.stall_seconds
        elif self._intake.held_bytes and not self._held_up:
            path = self._intake.likely_path
            self._give_up(refusals.bad_request(path, 408, "the request head took too long"))
        else:
            self._linger()

    def _look_at_exchange(self, exchange: Exchange, now: float) -> None:
        if now < self._ends_at and exchange.congested and not self.write_paused:
            # Not the client's fault that it sends nothing. Looked at again in the next sweep.
            self.deadline = now
        elif now < self._ends_at and exchange.begun:
            self._look_at_answer(exchange, now)
        elif exchange.begun:
            exchange.abort(overdue=True)
            self.exchange_broken(exchange.last_words(too_long=True))
        elif self._close_after:
            exchange.abort()
            self._give_up(refusals.going_away(exchange.head.path))
        elif self.owes_body:
            self._give_up(refusals.bad_request(exchange.head.path, 408, "the body took too long"))
        else:
            exchange.abort(overdue=True)
            self._give_up(refusals.upstream_silent(exchange.head.path, exchange.title))

    def _look_at_answer(self, exchange: Exchange, now: float) -> None:
        """End an answer that one side has forgotten; keep a client company that hears nothing."""
        limits = self.plane.limits
        if not exchange.answering:
            if not self.write_paused:
                self.transport.write(company.comment(0, http10=exchange.head.http10))
            self.deadline = min(self._ends_at, now + limits.company_seconds)
        elif now < self._judge_at:
            # Something else brought the sweep here.
            self.deadline = min(self._ends_at, self._judge_at)
        elif self.write_paused:
            if self._taking.goes_on(self.transport):
                self._judge_after(limits.stall_seconds)
            else:
                self.transport.abort()
        elif exchange.has_spoken() or exchange.answer.before_events:
            self._judge_after(limits.silence_seconds)
        else:
            exchange.abort(overdue=True)
            self.exchange_broken(exchange.last_words())

    def _set_relay_deadline(self, exchange: Exchange) -> None:
        if exchange.answering:
            return
        limits = self.plane.limits
        if exchange.begun:
            self.deadline = min(self._ends_at, self.loop.time() + limits.company_seconds)
            return
        bound = limits.first_byte_seconds if not self.owes_body else limits.stall_seconds
        self.deadline = min(self._ends_at, self.loop.time() + bound)
