"""Checks that others ask for on ``health.probe.requested``: done at once, each until it is told."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress

import structlog
from pydantic import JsonValue, ValidationError

from spark_common.bus.port import Bus, Delivery
from spark_common.clock import Clock
from spark_common.errors import NotFoundError, SparkError, UnavailableError
from spark_common.events import HealthProbeRequested
from spark_common.tasks import end
from spark_health.deep.runner import DeepRunner
from spark_health.deep.store import DeepStore

STREAM = "SC_PROBES"
DURABLE = "health"
_OLD_SECONDS = 600.0
"""Whoever asked while we were away has been answered by the timer."""
_ALL = "all"
_RETRY_SECONDS = 5.0
_SIGN_SECONDS = 4.0
"""Well under the time after which an order is delivered again whose worker shows no life."""
_ALSO = {
    "stt": "parakeet", "speech": "parakeet", "speech-to-text": "parakeet",
    "tts": "kokoro", "text-to-speech": "kokoro", "embed": "embeddings", "model": "vllm",
}  # fmt: skip
_log = structlog.get_logger()


class ProbeOrders:
    """Takes what is ordered; an order that a later check has answered already is done.

    An order is settled when its check has been told. Whoever is killed before that finds it again
    some seconds after the next start.
    """

    def __init__(self, bus: Bus, runner: DeepRunner, store: DeepStore, clock: Clock) -> None:
        self._bus = bus
        self._runner = runner
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Take orders for ever: none waits for the check of another one."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            async for delivery in self._bus.work(STREAM, DURABLE):
                task = asyncio.create_task(self._take(delivery))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        finally:
            await end(tuple(under_way))

    async def _take(self, delivery: Delivery) -> None:
        order = _order_in(delivery)
        beating = asyncio.create_task(self._show_life(delivery))
        try:
            if order is None:
                await delivery.drop("not a health.probe.requested")
            else:
                await self._carry_out(delivery, order)
        except SparkError as error:
            # Not settled: it comes again.
            _log.warning("deep.order_waits", reason=error.message)
        except Exception:
            _log.exception("deep.order_broke")
        finally:
            await end([beating])

    async def _show_life(self, delivery: Delivery) -> None:
        while True:
            await self._clock.sleep(_SIGN_SECONDS)
            with suppress(SparkError):
                await delivery.heartbeat()

    async def _carry_out(self, delivery: Delivery, order: HealthProbeRequested) -> None:
        wanted = order.target.lower()
        known = self._runner.checked()
        services = list(known) if wanted == _ALL else [_ALSO.get(wanted, wanted)]
        if not set(services) <= set(known):
            _log.info("deep.order_unknown", target=order.target)
            await delivery.drop("no service of that name is checked")
            return
        while not self._old(delivery):
            try:
                await self._check(delivery, order, services)
                break
            except UnavailableError as error:
                # Redis is away: waiting for it is no failed try of this order.
                _log.warning("deep.order_waits", reason=error.message)
                await self._clock.sleep(_RETRY_SECONDS)
        await delivery.done()

    def _old(self, delivery: Delivery) -> bool:
        at = delivery.message.stored_at
        return at is not None and (self._clock.now() - at).total_seconds() > _OLD_SECONDS

    async def _check(
        self, delivery: Delivery, order: HealthProbeRequested, services: Iterable[str]
    ) -> None:
        """Return when every service was checked and told; raises UnavailableError."""
        stored_at = delivery.message.stored_at
        flights = []
        for service in services:
            latest = await self._store.latest(service, 1)
            if stored_at is not None and latest and latest[0].at > stored_at:
                await self._runner.answer(service, latest[0])
                continue
            with suppress(NotFoundError):
                # One that was hidden a moment ago is not missed.
                flights.append(self._runner.begin(service, "event", order.requested_by))
        if flights:
            # Not gathered: a check goes on for the others when nobody waits for it here.
            await asyncio.wait(flights)
        for flight in flights:
            if flight.cancelled():
                raise UnavailableError("the check was given up")
            flight.result()


def _order_in(delivery: Delivery) -> HealthProbeRequested | None:
    envelope = delivery.message.envelope
    try:
        data: JsonValue = (
            envelope.data if envelope is not None else json.loads(delivery.message.payload)
        )
        return HealthProbeRequested.model_validate(data)
    except (ValueError, RecursionError, ValidationError):
        return None
