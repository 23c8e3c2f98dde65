"""A bus that may come later: what works without it serves before NATS answers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from spark_common.bus.port import (
    Bus,
    BusHealth,
    Delivery,
    PublishResult,
    Serving,
    StoredMessage,
    Unknown,
)
from spark_common.clock import Clock
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.errors import UnavailableError
from spark_common.events import Message

_FIRST_WAIT_SECONDS = 0.25
_LONGEST_WAIT_SECONDS = 2.0
_AWAY = "the event bus does not answer"
_LOG = structlog.get_logger()
ItemT = TypeVar("ItemT")


class LateBus:
    """Passes everything to the bus that ``connect`` returns, and is *away* until then.

    ``connect`` raises UnavailableError for as long as nobody answers. Once it has returned, the
    bus behind it reconnects by itself.
    """

    def __init__(self, connect: Callable[[], Awaitable[Bus]], clock: Clock) -> None:
        self._connect = connect
        self._clock = clock
        self._bus: Bus | None = None
        self._arrived = asyncio.Event()
        self._reason = _AWAY

    async def run(self) -> None:
        """Connect, as often as it takes, then stay."""
        wait_seconds = _FIRST_WAIT_SECONDS
        while self._bus is None:
            try:
                self._bus = await self._connect()
            except UnavailableError as error:
                if error.message != self._reason:
                    _LOG.warning("bus.waiting", reason=error.message)
                self._reason = error.message
                await self._clock.sleep(wait_seconds)
                wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)
        self._arrived.set()
        await asyncio.Event().wait()

    async def publish(
        self, subject: str, message: Message, *, id: str, correlation_id: str | None = None
    ) -> None:
        """Tell whoever listens now."""
        await self._here().publish(subject, message, id=id, correlation_id=correlation_id)

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
        """Store it; Unknown while the bus is away."""
        if self._bus is None:
            return Unknown(self._reason)
        return await self._bus.publish_durable(
            subject,
            message,
            id=id,
            correlation_id=correlation_id,
            causation_id=causation_id,
            first_on=first_on,
        )

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """Return the newest message on a subject."""
        return await self._here().last_message(stream, subject)

    async def message_at(self, stream: str, seq: int) -> StoredMessage | None:
        """Return the message with this number."""
        return await self._here().message_at(stream, seq)

    def work(self, stream: str, durable: str) -> AsyncIterator[Delivery]:
        """Yield deliveries once the bus is there."""
        return self._once_here(lambda bus: bus.work(stream, durable))

    def tail(
        self, stream: str, subjects: Sequence[str] = (">",), after_seq: int | None = None
    ) -> AsyncIterator[StoredMessage]:
        """Yield stored messages once the bus is there."""
        return self._once_here(lambda bus: bus.tail(stream, subjects, after_seq))

    async def bounds(self, stream: str) -> tuple[str, int, int]:
        """Return epoch, first and last sequence."""
        return await self._here().bounds(stream)

    def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        """Yield core messages once the bus is there."""
        return self._once_here(lambda bus: bus.listen(subject))

    async def serve(
        self, service: str, version: str, description: str, verbs: Sequence[Serving]
    ) -> None:
        """Answer questions; waits until the bus is there."""
        await self._arrived.wait()
        await self._here().serve(service, version, description, verbs)

    async def call(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        *,
        timeout_seconds: float = 5.0,
        correlation_id: str | None = None,
    ) -> ReplyT:
        """Ask one question."""
        return await self._here().call(
            rpc, request, timeout_seconds=timeout_seconds, correlation_id=correlation_id
        )

    async def discover(self, timeout_seconds: float = 0.5) -> list[str]:
        """Return the services that answer now."""
        return await self._here().discover(timeout_seconds)

    def health(self) -> BusHealth:
        """Return the state of the connection, or why there is none yet."""
        if self._bus is None:
            return BusHealth(connected=False, last_error=self._reason)
        return self._bus.health()

    async def close(self) -> None:
        """Drain and close, if it ever came."""
        if self._bus is not None:
            await self._bus.close()

    def _here(self) -> Bus:
        if self._bus is None:
            raise UnavailableError(self._reason)
        return self._bus

    async def _once_here(
        self, open_stream: Callable[[Bus], AsyncIterator[ItemT]]
    ) -> AsyncIterator[ItemT]:
        await self._arrived.wait()
        items = open_stream(self._here())
        try:
            async for item in items:
                yield item
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()
