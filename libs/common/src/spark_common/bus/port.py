"""What services need of the bus. ``NatsBus`` and ``testing.MemoryBus`` sit the same exam."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel

from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.envelope import Envelope
from spark_common.events import Message


@dataclass(frozen=True)
class Stored:
    """JetStream confirmed it on disk."""

    seq: int


@dataclass(frozen=True)
class Duplicate:
    """It was there already: same id, or same subject where one subject holds one message."""

    seq: int


@dataclass(frozen=True)
class Refused:
    """The stream said no: full, another outcome stands, no permission. Not stored."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """No answer within the budget: it may or may not be stored. Repeat with the same id."""

    reason: str


PublishResult: TypeAlias = Stored | Duplicate | Refused | Unknown


@dataclass(frozen=True)
class StoredMessage:
    """A message of a stream. ``payload`` is the raw body; ``envelope`` is None when it is bare."""

    stream: str
    epoch: str
    """When the stream was created; sequences of another epoch mean nothing."""
    seq: int
    subject: str
    payload: bytes
    envelope: Envelope | None
    headers: dict[str, str]
    stored_at: datetime | None = None
    """When the server took it, by the server's clock: one order over all streams."""


class Delivery(Protocol):
    """A message handed to a worker of a durable consumer. Settle it exactly once."""

    @property
    def message(self) -> StoredMessage:
        """What is to be handled."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first delivery."""
        ...

    async def heartbeat(self) -> None:
        """Still working: the redelivery clock starts again."""
        ...

    async def done(self) -> None:
        """Handled; confirmed by the server before this returns."""
        ...

    async def retry(self, delay_seconds: float) -> None:
        """Give it back, to be delivered again later: by itself where the bus does not hear it."""
        ...

    async def drop(self, reason: str) -> None:
        """Never deliver it again; it stays readable and shows in the dead letters."""
        ...


@dataclass(frozen=True)
class BusHealth:
    """Whether the bus works, and what was wrong last."""

    connected: bool
    last_error: str | None = None
    refused: str | None = None
    """A subject that the server refuses us, in its words: nothing heals that but its owner."""


Handler: TypeAlias = Callable[[RequestT], Awaitable[ReplyT]]


@dataclass(frozen=True)
class Serving:
    """One verb and the function that answers it, at most ``limit`` at a time."""

    rpc: Rpc[Any, Any]
    handler: Callable[[Any], Awaitable[BaseModel]]
    limit: int = 16


class Bus(Protocol):
    """The bus of one service; ``source`` of its envelopes is the service's name."""

    async def publish(
        self, subject: str, message: Message, *, id: str, correlation_id: str | None = None
    ) -> None:
        """Tell, at most once and without storing: hints and metrics. Raises UnavailableError."""
        ...

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
        """Store in the stream that owns ``subject``; repeats with the same id for five seconds.

        ``first_on``: store only if no message of that stream matches this filter yet,
        else ``Refused``.
        """
        ...

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """Return the newest message on ``subject``, or None. Raises UnavailableError."""
        ...

    async def message_at(self, stream: str, seq: int) -> StoredMessage | None:
        """Return the message with this number, or None once it is gone. Raises UnavailableError."""
        ...

    def work(self, stream: str, durable: str) -> AsyncIterator[Delivery]:
        """Yield deliveries of a durable pull consumer, one at a time, for ever, over reconnects."""
        ...

    def tail(
        self, stream: str, subjects: Sequence[str] = (">",), after_seq: int | None = None
    ) -> AsyncIterator[StoredMessage]:
        """Yield stored messages in order without loss, for ever, over reconnects.

        ``after_seq`` None means only what comes; 0 means everything that is kept.
        """
        ...

    async def bounds(self, stream: str) -> tuple[str, int, int]:
        """Return epoch, first and last sequence of a stream. Raises UnavailableError."""
        ...

    def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        """Yield core messages as (subject, body); what is missed is missed."""
        ...

    async def serve(
        self, service: str, version: str, description: str, verbs: Sequence[Serving]
    ) -> None:
        """Answer questions as a queue group with discovery, until the bus closes.

        A SparkError becomes its body; anything else is logged and answered as ``internal``.
        """
        ...

    async def call(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        *,
        timeout_seconds: float = 5.0,
        correlation_id: str | None = None,
    ) -> ReplyT:
        """Ask; raises the SparkError answered, ServiceUnavailableError, DeadlineExceededError."""
        ...

    async def discover(self, timeout_seconds: float = 0.5) -> list[str]:
        """Return the names of the services that answer now, each once, sorted."""
        ...

    def health(self) -> BusHealth:
        """Return the state of the connection without asking anybody."""
        ...

    async def close(self) -> None:
        """Drain within ten seconds, then close."""
        ...
