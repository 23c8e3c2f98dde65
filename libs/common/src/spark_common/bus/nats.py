"""The bus over NATS: every promise of the port, kept by a server that syncs every write."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from spark_common.bus import nats_tail, nats_work, wire
from spark_common.bus.nats_inflow import Inflow
from spark_common.bus.nats_link import NatsLink, end_process, read_seed
from spark_common.bus.nats_rpc import NatsRpc
from spark_common.bus.nats_streams import NatsStreams
from spark_common.bus.port import BusHealth, Delivery, PublishResult, Serving, StoredMessage
from spark_common.bus.streams import STREAMS, StreamSpec
from spark_common.clock import Clock
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.events import Message
from spark_common.settings import BusSettings


async def connect_bus(
    settings: BusSettings,
    source: str,
    clock: Clock,
    *,
    on_lost: Callable[[], None] = end_process,
    streams: Iterable[StreamSpec] = STREAMS,
) -> "NatsBus":
    """Connect one service to the bus as the identity of the same name.

    Raises UnavailableError when nobody answers within three seconds, when the identity is
    refused or the server is older than 2.12; SettingsError when the seed file cannot be read.
    Once connected it reconnects for ever; ``on_lost`` is called when even that has ended.
    """
    link = NatsLink(source, clock, on_lost)
    await link.connect(settings.url, read_seed(settings.seed_file))
    return NatsBus(link, streams)


class NatsBus:
    """The bus of one service; build it with ``connect_bus``."""

    def __init__(self, link: NatsLink, streams: Iterable[StreamSpec]) -> None:
        self.source = link.source
        self._link = link
        self._streams = NatsStreams(link, streams)
        self._rpc = NatsRpc(link)

    async def publish(
        self, subject: str, message: Message, *, id: str, correlation_id: str | None = None
    ) -> None:
        """Tell whoever listens now. Raises UnavailableError while disconnected."""
        payload = self._seal(message, id, correlation_id, None)
        await self._link.guarded(
            self._link.client.publish(subject, payload, headers={wire.MESSAGE_ID: id})
        )

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
        """Store it, repeating with the same id within a budget of five seconds."""
        payload = self._seal(message, id, correlation_id, causation_id)
        return await self._streams.publish(subject, payload, id, first_on)

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """Return the newest message on a subject."""
        return await self._streams.last_message(stream, subject)

    async def message_at(self, stream: str, seq: int) -> StoredMessage | None:
        """Return the message with this number, or None."""
        return await self._streams.message_at(stream, seq)

    def work(self, stream: str, durable: str) -> AsyncIterator[Delivery]:
        """Yield deliveries of a durable consumer until the bus closes."""
        return nats_work.work(self._link, self._streams, stream, durable)

    def tail(
        self, stream: str, subjects: Sequence[str] = (">",), after_seq: int | None = None
    ) -> AsyncIterator[StoredMessage]:
        """Yield stored messages in order until the bus closes."""
        return nats_tail.tail(self._link, self._streams, stream, subjects, after_seq)

    async def bounds(self, stream: str) -> tuple[str, int, int]:
        """Return epoch, first and last sequence."""
        return await self._streams.bounds(stream)

    async def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        """Yield core messages from the first ``anext`` on; raises UnavailableError."""
        inflow = Inflow(self._link, 4096)
        try:
            await inflow.open(subject)
            while not self._link.closing:
                message = await inflow.next()
                if message is not None:
                    yield message.subject, message.data
        finally:
            await inflow.close()

    async def serve(
        self, service: str, version: str, description: str, verbs: Sequence[Serving]
    ) -> None:
        """Answer questions until the bus closes."""
        await self._rpc.serve(service, version, description, verbs)

    async def call(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        *,
        timeout_seconds: float = 5.0,
        correlation_id: str | None = None,
    ) -> ReplyT:
        """Ask one question."""
        return await self._rpc.call(rpc, request, timeout_seconds, correlation_id)

    async def discover(self, timeout_seconds: float = 0.5) -> list[str]:
        """Return the services that answer now."""
        return await self._rpc.discover(timeout_seconds)

    def health(self) -> BusHealth:
        """Return the state of the connection and the last trouble.

        A refused publication stays in ``last_error`` until five minutes after the last one, a
        refused subscription until it was made anew and not refused.
        """
        link = self._link
        return BusHealth(link.connected, last_error=link.last_error, refused=link.refused)

    async def close(self) -> None:
        """Finish running answers, drain within ten seconds, close."""
        await self._rpc.finish()
        await self._link.close()

    def _seal(
        self, message: Message, id: str, correlation_id: str | None, causation_id: str | None
    ) -> bytes:
        return wire.seal(
            message,
            source=self.source,
            id=id,
            at=self._link.clock.now(),
            correlation_id=correlation_id,
            causation_id=causation_id,
        )
