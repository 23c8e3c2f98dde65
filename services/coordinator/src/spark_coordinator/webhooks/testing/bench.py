"""One coordinator's webhooks on a real Redis, a bus in memory and a clock that is moved."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.bus.port import Stored
from spark_common.contracts.webhooks import (
    LIST_DELIVERIES,
    LIST_TARGETS,
    PUT_TARGET,
    DeliveryView,
    ListDeliveries,
    ListTargets,
    PutTarget,
    TargetView,
)
from spark_common.events import Event, HealthTransition, LockReleased, ServiceAction, SwapComplete
from spark_common.settings.support import WebhookSettings
from spark_common.subjects import SERVICE_ACTION, health_transition, lock_event, swap_complete
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_common.testing.wait import until
from spark_coordinator.feature import Feature
from spark_coordinator.leading import Leadership
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.feature import WORK, assemble
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.log import DeliveryLog
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.testing.receivers import Names, Receivers
from spark_coordinator.webhooks.topics import STREAMS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def swaps(*numbers: int) -> list[str]:
    """Return the ids of the outcomes that ``Bench.tell`` published with these numbers."""
    return [f"swap-{number}" for number in numbers]


@dataclass
class Bench:
    """One coordinator's webhooks, started and stopped at will."""

    redis: Redis
    bus: MemoryBus
    broker: MemoryBroker
    clock: FakeClock
    settings: WebhookSettings = field(default_factory=WebhookSettings)
    names: Names = field(default_factory=Names)
    receivers: Receivers = field(default_factory=Receivers)
    backoff: Backoff = field(default_factory=lambda: Backoff(chance=lambda: 0.0))
    most_rows: int = 1_000
    most_events: int = 1_500
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    feature: Feature | None = None

    def build(self) -> Feature:
        """Assemble it, without starting anything."""
        return assemble(
            WebhookStore(self.redis, self.most_rows, self.most_events),
            DeliveryLog(self.redis),
            self.bus,
            self.clock,
            lambda: self.settings,
            self.names,
            TargetGuard({9999}),
            self.receivers,
            # Longer than what passes here while a busy machine's Redis answers once.
            Leadership(self.redis, WORK, self.clock, ttl_seconds=120),
            self.backoff,
        )

    async def start(self) -> None:
        """Run its loops."""
        self.feature = self.build()
        self.tasks = [asyncio.create_task(_alone(loop)) for loop in self.feature.background]

    async def kill(self) -> None:
        """Stop in the middle, and let another one lead at once."""
        await end(self.tasks)
        await self.redis.delete(f"sc:leader:{WORK}")

    async def sleep(self, time: timedelta) -> None:
        """Be stopped for a long time: nothing of ours would have to be woken meanwhile."""
        await self.kill()
        await self.clock.advance(time.total_seconds())
        await self.start()

    async def ask(self, rpc: Any, request: Any) -> Any:
        """Ask one of its verbs."""
        verbs = (self.feature or self.build()).verbs
        (serving,) = [one for one in verbs if one.rpc is rpc]
        return await serving.handler(request)

    async def put(self, id: str = "bob", **given: Any) -> TargetView:
        """Make or change a webhook."""
        given = {"url": "http://127.0.0.1:5678/hook"} | given
        view: TargetView = await self.ask(PUT_TARGET, PutTarget(id=id, **given))
        return view

    async def view(self, id: str = "bob") -> TargetView:
        """Return how a target stands."""
        targets = (await self.ask(LIST_TARGETS, ListTargets())).targets
        found: TargetView = next(one for one in targets if one.id == id)
        return found

    async def log(self, **asked: Any) -> list[DeliveryView]:
        """Return a page of the delivery log."""
        rows: list[DeliveryView]
        rows = (await self.ask(LIST_DELIVERIES, ListDeliveries(**asked))).deliveries
        return rows

    async def tell(self, number: int, kind: str = "swap") -> None:
        """Publish an event."""
        subject, event = EVENTS[kind](number)
        result = await self.bus.publish_durable(subject, event, id=f"{kind}-{number}")
        if not isinstance(result, Stored):
            raise TypeError(f"not stored: {result}")

    async def until(self, holds: Callable[[], Any], what: str, step: float = 0.25) -> None:
        """Let time pass until it holds."""

        async def passed() -> bool:
            answer = holds()
            found = answer if isinstance(answer, bool) else await answer
            if not found:
                # A busy machine's Redis is slow: this time must not run away from it.
                with contextlib.suppress(RedisError, OSError, TimeoutError):
                    await self.redis.ping()
                await self.clock.advance(step)
            return bool(found)

        await until(passed, what)

    async def taken(self) -> None:
        """Wait until no event is left to take."""

        def empty() -> bool:
            for name in STREAMS:
                stream = self.broker.streams[name]
                consumer = stream.consumer("webhook")
                if consumer.pending or consumer.next_seq <= stream.bounds[2]:
                    return False
            return True

        await self.until(empty, "every event is taken")


async def _alone(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


def _swap(number: int) -> tuple[str, Event]:
    event = SwapComplete(
        swap_id=f"s{number}", model="gpt-oss-120b", served_name="gpt-oss", requested_by="Alice",
        total_seconds=200, finished_at=NOW,
    )  # fmt: skip
    return swap_complete(event.swap_id), event


def _dry(number: int) -> tuple[str, Event]:
    _, event = _swap(number)
    return swap_complete(f"dry{number}"), event.model_copy(update={"dry_run": True})


EVENTS: Mapping[str, Callable[[int], tuple[str, Event]]] = {
    "swap": _swap,
    "dry": _dry,
    "lock": lambda number: (
        lock_event("released"),
        LockReleased(epoch=number, holder="Bob", at=NOW, held_seconds=60),
    ),
    "health": lambda number: (
        health_transition(f"spark{number}"),
        HealthTransition(target="spark1", kind="host", after="online", since=NOW),
    ),
    "service": lambda number: (
        SERVICE_ACTION,
        ServiceAction(service="kokoro", action="restart", requested_by="Alice", ok=True, at=NOW),
    ),
}
