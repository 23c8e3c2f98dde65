"""Puts the webhooks together, and says which of several coordinators does the work."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version

import structlog
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.tasks import end
from spark_coordinator.feature import Feature
from spark_coordinator.leading import Leadership
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.default_target import DefaultTarget
from spark_coordinator.webhooks.dispatch import Dispatch
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.intake import Intake
from spark_coordinator.webhooks.log import DeliveryLog
from spark_coordinator.webhooks.notifying import AppriseSender
from spark_coordinator.webhooks.ports import Resolver, Sender
from spark_coordinator.webhooks.posting import WebhookSender
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.resolving import SystemResolver
from spark_coordinator.webhooks.sending import KindSender
from spark_coordinator.webhooks.settings import WebhookSettings
from spark_coordinator.webhooks.state import TargetsAsState
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.threads import OwnedThreads
from spark_coordinator.webhooks.topics import STREAMS
from spark_coordinator.webhooks.verbs import WebhookVerbs

WORK = "webhooks"
KEPT = timedelta(days=90)
_TURN_SECONDS = 0.25
_SWEEP_SECONDS = 3600.0
_RETRY_SECONDS = 1.0

_log = structlog.get_logger()


def webhooks(
    redis: Redis,
    bus: Bus,
    clock: Clock,
    settings: Callable[[], WebhookSettings],
    guard: TargetGuard,
    backoff: Backoff | None = None,
) -> Feature:
    """Return the feature with the senders of the real world."""
    threads = OwnedThreads()
    resolver = SystemResolver(threads)
    agent = f"spark-control/{version('spark-coordinator')}"
    sender = KindSender(
        WebhookSender(resolver, guard, clock, agent), AppriseSender(resolver, guard, threads)
    )
    return assemble(
        WebhookStore(redis),
        DeliveryLog(redis),
        bus,
        clock,
        settings,
        resolver,
        guard,
        sender,
        Leadership(redis, WORK, clock),
        backoff or Backoff(),
    )


def targets_as_state(redis: Redis, bus: Bus, clock: Clock, guard: TargetGuard) -> TargetsAsState:
    """Return what an export and an import of the state need."""
    store, resolver = WebhookStore(redis), SystemResolver(OwnedThreads())
    return TargetsAsState(store, Registry(store, bus, resolver, guard, clock))


def assemble(
    store: WebhookStore,
    log: DeliveryLog,
    bus: Bus,
    clock: Clock,
    settings: Callable[[], WebhookSettings],
    resolver: Resolver,
    guard: TargetGuard,
    sender: Sender,
    leadership: Leadership,
    backoff: Backoff,
) -> Feature:
    """Put the parts together."""
    registry = Registry(store, bus, resolver, guard, clock)
    dispatch = Dispatch(store, sender, leadership, backoff, clock)
    intake = Intake(bus, store, dispatch, leadership, backoff, clock)
    default = DefaultTarget(settings, store, registry, clock)

    async def sweep() -> None:
        while True:
            try:
                for target in await store.targets():
                    await store.sweep(target, clock.now() - KEPT)
            except UnavailableError:
                await clock.sleep(_RETRY_SECONDS)
                continue
            await clock.sleep(_SWEEP_SECONDS)

    work = Led(
        leadership,
        clock,
        (
            default.keep,
            dispatch.run,
            sweep,
            *(_of_stream(intake, stream) for stream in STREAMS),
        ),
    )
    verbs = WebhookVerbs(store, log, registry, sender, dispatch, backoff, clock)
    return Feature(verbs=verbs.verbs(), background=(leadership.run, work.run))


class Led:
    """Runs loops for as long as this process leads."""

    def __init__(
        self,
        leadership: Leadership,
        clock: Clock,
        loops: tuple[Callable[[], Awaitable[None]], ...],
    ) -> None:
        self._leadership = leadership
        self._clock = clock
        self._loops = loops

    async def run(self) -> None:
        """Begin whenever we come to lead, and end when we lead no more, for ever."""
        while True:
            if self._leadership.leads:
                await self._lead()
            await self._clock.sleep(_TURN_SECONDS)

    async def _lead(self) -> None:
        tasks = [asyncio.create_task(_alone(loop)) for loop in self._loops]
        try:
            while self._leadership.leads and not any(task.done() for task in tasks):
                await self._clock.sleep(_TURN_SECONDS)
        finally:
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()):
                    _log.error("webhook.loop_broken", exc_info=error)
            await end(tasks)


async def _alone(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


def _of_stream(intake: Intake, stream: str) -> Callable[[], Awaitable[None]]:
    return lambda: intake.run(stream)
