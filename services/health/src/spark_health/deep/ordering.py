"""Checks that others ask for on ``health.probe.requested``: done at once, one at a time."""

import json
from collections.abc import Iterable

import structlog
from pydantic import JsonValue, ValidationError

from spark_common.bus.port import Bus, Delivery
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.events import HealthProbeRequested
from spark_health.deep.runner import DeepRunner
from spark_health.deep.store import DeepStore

STREAM = "SC_PROBES"
DURABLE = "health"
_OLD_SECONDS = 600.0
"""Whoever asked while we were away has been answered by the timer."""
_ALL = "all"
_RETRY_SECONDS = 5.0
_ALSO = {
    "stt": "parakeet", "speech": "parakeet", "speech-to-text": "parakeet",
    "tts": "kokoro", "text-to-speech": "kokoro", "embed": "embeddings", "model": "vllm",
}  # fmt: skip
_log = structlog.get_logger()


class ProbeOrders:
    """Takes what is ordered; an order that a later check has answered already is done."""

    def __init__(self, bus: Bus, runner: DeepRunner, store: DeepStore, clock: Clock) -> None:
        self._bus = bus
        self._runner = runner
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Take orders for ever."""
        async for delivery in self._bus.work(STREAM, DURABLE):
            try:
                await self._handle(delivery)
            except SparkError as error:
                _log.warning("deep.order_waits", reason=error.message)
                await delivery.retry(_RETRY_SECONDS)

    async def _handle(self, delivery: Delivery) -> None:
        order = _order_in(delivery)
        if order is None:
            await delivery.drop("not a health.probe.requested")
            return
        wanted = order.target.lower()
        known = self._runner.checked()
        services = list(known) if wanted == _ALL else [_ALSO.get(wanted, wanted)]
        if not set(services) <= set(known):
            _log.info("deep.order_unknown", target=order.target)
            await delivery.drop("no service of that name is checked")
            return
        await self._begin(delivery, order, services)
        await delivery.done()

    async def _begin(
        self, delivery: Delivery, order: HealthProbeRequested, services: Iterable[str]
    ) -> None:
        stored_at = delivery.message.stored_at
        if stored_at is not None:
            age = (self._clock.now() - stored_at).total_seconds()
            if age > _OLD_SECONDS:
                return
        for service in services:
            latest = await self._store.latest(service, 1)
            if stored_at is not None and latest and latest[0].at > stored_at:
                await self._runner.answer(service, latest[0])
                continue
            self._runner.begin(service, "event", order.requested_by)


def _order_in(delivery: Delivery) -> HealthProbeRequested | None:
    envelope = delivery.message.envelope
    try:
        data: JsonValue = (
            envelope.data if envelope is not None else json.loads(delivery.message.payload)
        )
        return HealthProbeRequested.model_validate(data)
    except (ValueError, RecursionError, ValidationError):
        return None
