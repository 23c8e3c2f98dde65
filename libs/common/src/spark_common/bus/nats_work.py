"""Durable work: one message at a time, settled with the server's confirmation."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nats.errors
import structlog
from nats.aio.msg import Msg

from spark_common.bus import wire
from spark_common.bus.nats_inflow import Inflow
from spark_common.bus.nats_link import NatsLink
from spark_common.bus.nats_streams import NatsStreams
from spark_common.bus.port import Delivery, StoredMessage
from spark_common.errors import OutcomeUnknownError, UnavailableError

_SETTLE_BUDGET_SECONDS = 5.0
_SETTLE_TIMEOUT_SECONDS = 1.0
_PULL_SECONDS = 1.0
_NANO = 1_000_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NatsDelivery:
    """A message in the hands of a worker."""

    link: NatsLink
    stored: StoredMessage
    delivered: int
    reply: str

    @property
    def message(self) -> StoredMessage:
        """What is to be handled."""
        return self.stored

    @property
    def attempt(self) -> int:
        """1 for the first delivery."""
        return self.delivered

    async def heartbeat(self) -> None:
        """Start the redelivery clock again."""
        await self._settle(b"+WPI", budget_seconds=0.0)

    async def done(self) -> None:
        """Confirm it. Raises OutcomeUnknownError: then it may come again."""
        await self._settle(b"+ACK")

    async def retry(self, delay_seconds: float) -> None:
        """Give it back for later. Where nobody hears that, it comes again by itself."""
        delay = json.dumps({"delay": int(delay_seconds * _NANO)}).encode()
        try:
            await self._settle(b"-NAK " + delay)
        except OutcomeUnknownError as error:
            log.warning("bus.retry_unheard", reason=error.message)

    async def drop(self, reason: str) -> None:
        """Make it a dead letter."""
        await self._settle(f"+TERM {reason}".encode())

    async def _settle(self, verdict: bytes, budget_seconds: float = _SETTLE_BUDGET_SECONDS) -> None:
        deadline = self.link.clock.monotonic() + budget_seconds
        while True:
            try:
                await self.link.request(self.reply, verdict, _SETTLE_TIMEOUT_SECONDS, None)
                return
            except (nats.errors.NoRespondersError, UnavailableError) as error:
                if self.link.clock.monotonic() >= deadline:
                    raise OutcomeUnknownError(
                        f"{self.stored.subject} is not settled: the event bus did not confirm"
                    ) from error
            await self.link.pause()


async def work(
    link: NatsLink, streams: NatsStreams, stream: str, durable: str
) -> AsyncIterator[Delivery]:
    """Yield deliveries until the link closes; pulls are short, because they die with the server."""
    while not link.closing:
        inflow = Inflow(link, 0)
        try:
            epoch, _, _ = await streams.bounds(stream)
            inbox = link.client.new_inbox()
            await inflow.open(f"{inbox}.*")
            reconnects, pulls = link.reconnects, 0
            while link.undisturbed(reconnects):
                pulls += 1
                message = await _pull(link, inflow, f"{stream}.{durable}", f"{inbox}.{pulls}")
                if message is not None:
                    yield _delivery(link, stream, epoch, message)
        except UnavailableError as error:
            if not link.closing:
                log.warning("bus.work_waits", stream=stream, durable=durable, reason=error.message)
                await link.pause()
        finally:
            await inflow.close()
            await _give_back(link, inflow)


async def _pull(link: NatsLink, inflow: Inflow, consumer: str, reply: str) -> Msg | None:
    early = [message for message in inflow.rest() if not _is_status(message)]
    if early:
        # At most one pull is out at a time, so a late answer is at most one message.
        return early[0]
    expires = json.dumps({"batch": 1, "expires": int(_PULL_SECONDS * 0.95 * _NANO)}).encode()
    await link.guarded(link.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{consumer}", expires, reply))
    while True:
        message = await inflow.next(_PULL_SECONDS)
        if message is None:
            return None
        if not _is_status(message):
            return message
        if message.subject == reply:
            if (message.headers or {}).get("Status") not in ("404", "408"):
                await link.pause()
            return None


def _is_status(message: Msg) -> bool:
    return not message.data and "Status" in (message.headers or {})


def _delivery(link: NatsLink, stream: str, epoch: str, message: Msg) -> NatsDelivery:
    metadata = message.metadata
    return NatsDelivery(
        link,
        stored_message(stream, epoch, message),
        int(metadata.num_delivered or 1),
        message.reply,
    )


def stored_message(stream: str, epoch: str, message: Msg) -> StoredMessage:
    """Translate a message that a consumer delivered."""
    return StoredMessage(
        stream=stream,
        epoch=epoch,
        seq=int(message.metadata.sequence.stream),
        subject=message.subject,
        payload=message.data,
        envelope=wire.unseal(message.data),
        headers=dict(message.headers or {}),
        stored_at=message.metadata.timestamp,
    )


async def _give_back(link: NatsLink, inflow: Inflow) -> None:
    for message in inflow.rest():
        if not _is_status(message):
            try:
                await link.request(message.reply, b"-NAK", _SETTLE_TIMEOUT_SECONDS, None)
            except (UnavailableError, nats.errors.NoRespondersError):
                log.debug("bus.unsettled_comes_again")
