"""One request and its answer, between a client's connection and an upstream's."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from spark_gateway.dataplane.answers import Answer
from spark_gateway.dataplane.company import ContinuedAnswer
from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.meters import UpstreamMeter
from spark_gateway.dataplane.ports import Refusal, Ticket, Upstream, Watcher
from spark_gateway.dataplane.refusals import broken_stream_event, upstream_down
from spark_gateway.dataplane.upload import Upload
from spark_gateway.dataplane.upstream import UpstreamConnection, UpstreamPool

log = structlog.get_logger()


class Caller(Protocol):
    """The client's connection, as an exchange sees it."""

    transport: asyncio.Transport

    @property
    def write_paused(self) -> bool:
        """Whether the client reads more slowly than the upstream sends."""
        ...

    def update_reading(self) -> None:
        """The exchange became able, or unable, to take more of the body."""
        ...

    def answer_began(self) -> None:
        """The head of the answer has been passed on."""
        ...

    def exchange_ended(self, *, close: bool) -> None:
        """The answer is complete; ``close`` when the client was told that the connection ends."""
        ...

    def exchange_refused(self, refusal: Refusal) -> None:
        """There will be no answer from the upstream; give this one."""
        ...

    def exchange_broken(self, last_words: bytes | None) -> None:
        """The answer will never be complete: say this and close.

        None: a mere end of the connection would pass for the end of the answer, so reset it.
        """
        ...


class Exchange:
    """Sends a request up as it arrives and its answer down as it comes.

    A request on a reused connection that dies before the first byte of an answer is sent once
    more on a new one, as long as everything sent of it is still at hand.
    """

    __slots__ = (
        "_began_at",
        "_caller",
        "_connection",
        "_dialling",
        "_loop",
        "_meter",
        "_model",
        "_pool",
        "_sent_at",
        "_spoke",
        "_ticket",
        "_told",
        "_upload",
        "_upstream",
        "_watcher",
        "answer",
        "answering",
        "closed",
        "head",
        "request_id",
    )

    def __init__(
        self,
        caller: Caller,
        head: RequestHead,
        upstream: Upstream,
        pool: UpstreamPool,
        meter: UpstreamMeter,
        loop: asyncio.AbstractEventLoop,
        request_id: bytes,
        text: bytes,
        model: str,
        answer: Answer | ContinuedAnswer,
        watcher: Watcher,
        ticket: Ticket | None = None,
    ) -> None:
        """``text``: the head as it goes up. ``ticket`` is left when it is over."""
        self.head = head
        self.request_id = request_id
        self.answer = answer
        self.closed = False
        self.answering = False
        """Whether anything of the upstream's answer has been passed on."""
        self._sent_at = 0.0
        self._spoke = False
        self._caller = caller
        self._pool = pool
        self._meter = meter
        self._loop = loop
        self._upstream = upstream
        self._ticket = ticket
        self._watcher = watcher
        self._told: Callable[[bytes], None] | None = None
        """What is told of each further piece of the answer."""
        self._began_at = loop.time()
        self._connection: UpstreamConnection | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._upload = Upload(text, chunked=head.chunked)
        self._model = model

    @property
    def begun(self) -> bool:
        """Whether the client has the head of an answer."""
        return self.answering or self.answer.continues

    @property
    def title(self) -> str:
        """What clients read the upstream is."""
        return self._upstream.title

    @property
    def congested(self) -> bool:
        """Whether the upstream cannot take more of the body now."""
        return self._upload.congested

    def has_spoken(self) -> bool:
        """Whether the upstream said anything since this was asked last."""
        spoke, self._spoke = self._spoke, False
        return spoke

    def withdraw(self) -> None:
        """It is refused after all; the upstream never had all of it."""
        self._meter.withdraw(self._model)
        self._let_go()

    def start(self, pieces: Sequence[bytes], *, complete: bool) -> None:
        """Find a connection and send what is there of the body."""
        for piece in pieces:
            self.send(piece)
        if complete:
            self._upload.end()
        connection = self._pool.take()
        if connection is not None:
            self._attach(connection)
        else:
            self._dialling = self._loop.create_task(self._dial())
        # What is only noted is noted while the upstream reads.
        self.answer.extra = self._watcher.sent(self._upstream)
        self._meter.taken_on(self._model)

    def send(self, piece: bytes) -> None:
        """Pass on a piece of the request body."""
        self._meter.bytes_up += len(piece)
        self._upload.send(piece)

    def complete_body(self) -> None:
        """The request body has ended."""
        self._upload.end()

    def pause_answer(self) -> None:
        """The client cannot take more for now."""
        if self._connection is not None:
            self._connection.transport.pause_reading()

    def resume_answer(self) -> None:
        """The client can take more again."""
        if self._connection is not None:
            self._connection.transport.resume_reading()

    def abort(self, *, overdue: bool = False) -> None:
        """End it from this side; the upstream notices at once. ``overdue``: its fault."""
        if self.closed:
            return
        if overdue:
            self._blame("overdue")
        else:
            self._meter.aborted += 1
        self._close()

    def answer_received(self, data: bytes) -> None:
        """Bytes from the upstream."""
        answer = self.answer
        self._spoke = True
        if not answer.received:
            self._upload.answered()
        if not self.answering and not answer.continues and not self._upload.complete:
            answer.close = True
        try:
            out = answer.feed(data)
        except FramingError as error:
            self._fail(str(error))
            return
        if out:
            self._meter.bytes_down += len(out)
            self._caller.transport.write(out)
            if self.answering:
                if self._told is not None:
                    self._told(out)
            else:
                self._begin_answer(out)
        if answer.done:
            self._finish()

    def _begin_answer(self, out: bytes) -> None:
        """Note the first piece of the answer, which is all of most that are no event stream."""
        answer = self.answer
        self.answering = True
        if self._watcher.wants_data:
            if answer.done and not answer.events:
                self._watcher.answered(out)
            else:
                self._told = self._watcher.begins(out)
        self._meter.first_byte(self._loop.time() - self._began_at)
        self._caller.answer_began()
        if not answer.done and self._meter.in_flight > 1:
            # Several at once take their time: another one may come before any of them is over.
            self._pool.dial_ahead()

    def upstream_lost(self, *, reset: bool) -> None:
        """The connection died under the request, by a reset or by an orderly end."""
        if not reset and self.answer.end():
            if self.answer.tail:
                self._caller.transport.write(self.answer.tail)
            self._finish()
        elif self._upload.repeatable and not self.answer.received and self._was_just_sent:
            self._connection = None
            self._upload.detach()
            self._meter.retried += 1
            self._dialling = self._loop.create_task(self._dial())
        else:
            self._fail("reset" if reset else "closed early")

    @property
    def _was_just_sent(self) -> bool:
        """Whether the connection may have been gone already when this was sent over it.

        Later on the upstream died over the request itself, and it must not work on it again.
        """
        return self._loop.time() - self._sent_at < self._pool.limits.repeat_seconds

    def upstream_congested(self) -> None:
        """The upstream reads more slowly than the client sends."""
        self._caller.update_reading()

    def upstream_relieved(self) -> None:
        """The upstream caught up."""
        self._caller.update_reading()

    async def _dial(self) -> None:
        try:
            connection = await self._pool.dial()
        except (OSError, ValueError) as error:
            self._fail(type(error).__name__)
            return
        if self.closed:
            connection.discard()
        elif connection.transport.is_closing():
            self._fail("closed at once")
        else:
            self._attach(connection)
            self._caller.update_reading()

    def _attach(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        connection.borrower = self
        if self._caller.write_paused:
            connection.transport.pause_reading()
        self._sent_at = self._loop.time()
        self._upload.attach(connection)

    def _finish(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self.answer.reusable and self._upload.complete:
                self._pool.put(connection)
            else:
                connection.discard()
        self._close()
        self._caller.exchange_ended(close=self.answer.close)

    def _fail(self, reason: str) -> None:
        """Close the books, then let the client know as well as is still possible."""
        if self.closed:
            return
        self._blame(reason)
        self._close()
        if self.begun:
            self._caller.exchange_broken(self.last_words())
        else:
            self._caller.exchange_refused(upstream_down(self.head.path, self._upstream.title))

    def last_words(self, *, too_long: bool = False) -> bytes | None:
        """What can still be said in the middle of an answer; see ``Caller.exchange_broken``."""
        return self.answer.last_words(
            broken_stream_event(self.head.path, self._upstream.title, too_long=too_long)
        )

    def _blame(self, reason: str) -> None:
        self._meter.broken += 1
        log.warning(
            "relay.upstream_failed",
            reason=reason,
            begun=self.begun,
            request_id=self.request_id.decode("latin-1"),
            after_seconds=round(self._loop.time() - self._began_at, 3),
        )

    def _close(self) -> None:
        self._meter.over(self._model, begun=self.answering)
        self._meter.by_class[self.answer.status // 100 if self.answering else 0] += 1
        self._let_go()

    def _let_go(self) -> None:
        self.closed = True
        if self._ticket is not None:
            self._ticket.leave()
        if self._connection is not None:
            self._connection.discard()
            self._connection = None
        if self._dialling is not None and self._dialling is not asyncio.current_task():
            self._dialling.cancel()
