"""The bus without a server: the same promises, in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from spark_common.bus import wire
from spark_common.bus.answering import Desk, as_request, read_reply
from spark_common.bus.port import (
    BusHealth,
    Delivery,
    PublishResult,
    Refused,
    Serving,
    StoredMessage,
    Unknown,
)
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.errors import (
    DeadlineExceededError,
    ServiceUnavailableError,
    UnavailableError,
)
from spark_common.events import Message
from spark_common.testing.broker import Listener, MemoryBroker, Registered
from spark_common.testing.streams import MemoryStream, Pending


@dataclass(frozen=True)
class MemoryDelivery:
    """A message in the hands of a worker."""

    broker: MemoryBroker
    stream: MemoryStream
    durable: str
    pending: Pending

    @property
    def message(self) -> StoredMessage:
        """What is to be handled."""
        return self.pending.message

    @property
    def attempt(self) -> int:
        """1 for the first delivery."""
        return self.pending.attempt

    async def heartbeat(self) -> None:
        """Start the redelivery clock again."""
        self.broker.require()
        consumer = self.stream.consumer(self.durable)
        standing = consumer.pending.get(self.message.seq)
        if standing is not None:
            standing.due = self.broker.clock.monotonic() + consumer.spec.ack_wait_seconds

    async def done(self) -> None:
        """Settle it. As on the real server this also settles a later delivery of the message."""
        self.broker.require()
        self.stream.consumer(self.durable).pending.pop(self.message.seq, None)
        self.broker.touch()

    async def retry(self, delay_seconds: float) -> None:
        """Give it back for later."""
        self.broker.require()
        standing = self.stream.consumer(self.durable).pending.get(self.message.seq)
        if standing is not None:
            standing.due = self.broker.clock.monotonic() + delay_seconds
        self.broker.touch()

    async def drop(self, reason: str) -> None:
        """Never deliver it again; the dead letters say why."""
        self.broker.require()
        self.stream.bury(self.durable, self.message.seq, "MSG_TERMINATED", reason)
        self.broker.touch()


class MemoryBus:
    """The bus of one service of a test; services that share a broker hear each other."""

    def __init__(self, source: str, broker: MemoryBroker | None = None) -> None:
        self.source = source
        self.broker = broker or MemoryBroker()
        self._closed = False
        self._listeners: list[Listener] = []
        self._registered: list[Registered] = []

    async def publish(
        self, subject: str, message: Message, *, id: str, correlation_id: str | None = None
    ) -> None:
        """Tell whoever listens now; where a stream owns the subject, it keeps it as well."""
        self._require()
        self.broker.store(subject, self._seal(message, id, correlation_id, None), id)

    async def publish_durable(
        self,
        subject: str,
        message: Message,
        *,
        id: str,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        first_on: str | None = None,
    ) -> PublishResult:
        """Store it; an outage is answered with Unknown at once."""
        if self._closed or not self.broker.reachable:
            return Unknown("the event bus does not answer")
        payload = self._seal(message, id, correlation_id, causation_id)
        result = self.broker.store(subject, payload, id, first_on)
        return Refused(f"no stream keeps {subject}") if result is None else result

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """Return the newest message on a subject."""
        self._require()
        return self.broker.stream(stream).last(subject)

    async def message_at(self, stream: str, seq: int) -> StoredMessage | None:
        """Return the message with this number."""
        self._require()
        return self.broker.stream(stream).messages.get(seq)

    async def work(self, stream: str, durable: str) -> AsyncIterator[Delivery]:
        """Yield deliveries until the bus closes."""
        while not self._closed:
            source = self.broker.streams.get(stream) if self.broker.reachable else None
            pending = source.hand_out(durable) if source is not None else None
            if source is not None and pending is not None:
                yield MemoryDelivery(self.broker, source, durable, pending)
            else:
                await self.broker.changed(source.next_due(durable) if source is not None else None)

    async def tail(
        self, stream: str, subjects: Sequence[str] = (">",), after_seq: int | None = None
    ) -> AsyncIterator[StoredMessage]:
        """Yield messages in order until the bus closes."""
        position = after_seq
        while not self._closed:
            source = self.broker.streams.get(stream) if self.broker.reachable else None
            if source is not None and position is None:
                position = source.bounds[2]
            message = source.after(position or 0, subjects) if source is not None else None
            if message is not None:
                position = message.seq
                yield message
            else:
                await self.broker.changed()

    async def bounds(self, stream: str) -> tuple[str, int, int]:
        """Return epoch, first and last sequence."""
        self._require()
        return self.broker.stream(stream).bounds

    async def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        """Yield core messages from the first ``anext`` on."""
        if self._closed:
            return
        listener = Listener(subject)
        self._listeners.append(listener)
        self.broker.listeners.append(listener)
        try:
            while (heard := await listener.queue.get()) is not None:
                yield heard
        finally:
            if listener in self.broker.listeners:
                self.broker.listeners.remove(listener)

    async def serve(
        self, service: str, version: str, description: str, verbs: Sequence[Serving]
    ) -> None:
        """Answer questions; several instances of a service take turns."""
        self._require()
        desks = {serving.rpc.subject: Desk(serving) for serving in verbs}
        registered = Registered(service, desks)
        self._registered.append(registered)
        self.broker.registered.append(registered)

    async def call(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        *,
        timeout_seconds: float = 5.0,
        correlation_id: str | None = None,
    ) -> ReplyT:
        """Ask; the time limit runs on the broker's clock."""
        payload = as_request(rpc, request)
        self._require()
        desk = self.broker.desk(rpc.subject)
        if desk is None:
            raise ServiceUnavailableError(
                f"{rpc.service!r} does not answer on the bus; is it running?", service=rpc.service
            )
        asked = asyncio.ensure_future(desk.answer(payload, correlation_id))
        limit = asyncio.ensure_future(self.broker.clock.sleep(timeout_seconds))
        try:
            await asyncio.wait({asked, limit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            limit.cancel()
        if not asked.done():
            raise DeadlineExceededError(
                f"{rpc.service!r} did not answer within {timeout_seconds:g} s", service=rpc.service
            )
        answer = asked.result()
        if answer.error is not None:
            raise wire.read_error(answer.payload)
        return read_reply(rpc, answer.payload)

    async def discover(self, timeout_seconds: float = 0.5) -> list[str]:
        """Return the services that answer now."""
        self._require()
        return sorted({registered.service for registered in self.broker.registered})

    def health(self) -> BusHealth:
        """Return whether the broker is reachable."""
        if self._closed or not self.broker.reachable:
            return BusHealth(connected=False, last_error="the event bus does not answer")
        return BusHealth(connected=True)

    async def close(self) -> None:
        """Stop answering and end every iterator."""
        self._closed = True
        for registered in self._registered:
            self.broker.registered.remove(registered)
        self._registered.clear()
        for listener in self._listeners:
            listener.queue.put_nowait(None)
        self._listeners.clear()
        self.broker.touch()

    def _require(self) -> None:
        if self._closed:
            raise UnavailableError("the event bus is closed")
        self.broker.require()

    def _seal(
        self, message: Message, id: str, correlation_id: str | None, causation_id: str | None
    ) -> bytes:
        return wire.seal(
            message,
            source=self.source,
            id=id,
            at=self.broker.clock.now(),
            correlation_id=correlation_id,
            causation_id=causation_id,
        )
