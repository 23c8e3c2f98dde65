"""Turns events into deliveries that are owed: written first, acknowledged then, one at a time."""

import structlog

from spark_common.bus.port import Bus, Delivery
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_coordinator.leading import Leadership
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.body import body_of, delivery_id
from spark_coordinator.webhooks.dispatch import Dispatch
from spark_coordinator.webhooks.rows import NewDelivery
from spark_coordinator.webhooks.store import LEADS_NO_MORE, WebhookStore
from spark_coordinator.webhooks.topics import short_type, topic_of

DURABLE = "webhook"
_RETRY_SECONDS = 1.0

_log = structlog.get_logger()


class Intake:
    """Reads one stream after the other event; never in the way of who publishes."""

    def __init__(
        self,
        bus: Bus,
        store: WebhookStore,
        dispatch: Dispatch,
        leadership: Leadership,
        backoff: Backoff,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._store = store
        self._dispatch = dispatch
        self._leadership = leadership
        self._backoff = backoff
        self._clock = clock

    async def run(self, stream: str) -> None:
        """Take the events of one stream for ever."""
        async for delivery in self._bus.work(stream, DURABLE):
            try:
                await self._handle(delivery)
            except UnavailableError as error:
                # Redis, or the confirmation of NATS: it comes again, and is owed only once.
                _log.warning("webhook.intake_waits", stream=stream, reason=error.message)
                await self._clock.sleep(_RETRY_SECONDS)
                await self._give_back(delivery)

    async def _handle(self, delivery: Delivery) -> None:
        if delivery.message.envelope is None:
            await delivery.drop("this is no event in an envelope")
            return
        if await self._owe(delivery):
            await delivery.done()
        else:
            await delivery.retry(_RETRY_SECONDS)

    async def _owe(self, delivery: Delivery) -> bool:
        """Write one delivery per target that wants the event; false when we lead no more."""
        message, envelope = delivery.message, delivery.message.envelope
        topic = topic_of(envelope) if envelope is not None else None
        if envelope is None or topic is None:
            return True
        targets = [t.id for t in (await self._store.targets()).values() if topic in t.told_of]
        off = await self._store.disabled_because(targets)
        now, body = self._clock.now(), body_of(envelope)
        for target in targets:
            if target in off:
                continue
            taken = await self._store.take(
                self._leadership.fence,
                target,
                topic,
                (message.epoch, message.seq),
                NewDelivery(
                    id=delivery_id(envelope.id, target),
                    event_id=envelope.id,
                    type=short_type(envelope),
                    body=body,
                    created_at=now,
                    give_up_at=now + self._backoff.give_up_after,
                ),
            )
            if taken == LEADS_NO_MORE:
                return False
        self._dispatch.wake()
        return True

    async def _give_back(self, delivery: Delivery) -> None:
        try:
            await delivery.retry(0.0)
        except UnavailableError as error:
            _log.debug("webhook.intake_unsettled", reason=error.message)
