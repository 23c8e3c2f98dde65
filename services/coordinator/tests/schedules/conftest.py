"""Schedules on a real Redis, a bus in memory, and a clock that obeys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.contracts.schedules import GetSchedule, PutSchedule, ScheduleView
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_common.testing.clock import settle
from spark_coordinator.leading import Leadership
from spark_coordinator.schedules.testing import FakeCluster, FakeLease
from spark_coordinator.schedules.wiring import SchedulesPart, wire_schedules


class Jumping(FakeClock):
    """A clock whose hands somebody may set, while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.set_by


@dataclass
class Bench:
    """Coordinators that can be started and killed, and what they speak to."""

    redis: Redis
    clock: Jumping
    broker: MemoryBroker
    lease: FakeLease
    cluster: FakeCluster
    running: list[tuple[SchedulesPart, list["asyncio.Task[None]"]]] = field(default_factory=list)

    def part(self) -> SchedulesPart:
        """Return the schedules of one coordinator."""
        bus = MemoryBus("coordinator", self.broker)
        # Longer than the steps in which time passes here.
        leadership = Leadership(self.redis, "schedules", self.clock, ttl_seconds=120)
        return wire_schedules(
            redis=self.redis, bus=bus, clock=self.clock, lease=self.lease, leadership=leadership
        )

    async def start(self) -> SchedulesPart:
        """Start a coordinator."""
        part = self.part()
        tasks = [asyncio.create_task(loop()) for loop in part.feature.background]
        self.running.append((part, tasks))
        return part

    async def kill(self) -> None:
        """End the first coordinator where it stands, and let its claim run out."""
        _, tasks = self.running.pop(0)
        await end(tasks)
        with suppress(RedisError):
            await self.redis.delete("sc:leader:schedules")

    @property
    def verbs(self):
        """The verbs of any coordinator."""
        return self.running[0][0].verbs if self.running else self.part().verbs

    async def put(self, id="one", **facts) -> ScheduleView:
        """Register a schedule."""
        return await self.verbs.put(PutSchedule(id=id, **facts))

    async def get(self, id="one") -> ScheduleView:
        """Return a schedule with its runs."""
        return await self.verbs.get(GetSchedule(id=id))

    async def until(
        self,
        holds: Callable[[], bool] | Callable[[], Awaitable[bool]],
        most_seconds: float = 600,
        step: float = 4.0,
    ) -> None:
        """Let time pass, a few seconds at a time, until something holds."""
        began = self.clock.monotonic()
        while True:
            await self.breathe()
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            passed = self.clock.monotonic() - began
            assert passed < most_seconds, f"it never happened: {self.told()}"
            await self.clock.advance(step)

    async def breathe(self) -> None:
        """Let everybody get their answers from Redis, which is outside the test's clock."""
        for _ in range(8):
            await settle()
            with suppress(RedisError):
                await self.redis.ping()
        await settle()

    async def passes(self, seconds: float, step: float = 5.0) -> None:
        """Let time pass while everybody acts."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            await self.clock.advance(min(step, until - self.clock.monotonic()))
            await self.breathe()

    async def over(self, id="one", number=1, step: float = 4.0) -> ScheduleView:
        """Wait until a schedule has so many runs that are over, and return it."""

        async def ended() -> bool:
            return len((await self.part().runs.logs([id]))[id]) >= number

        await self.until(ended, 2000, step)
        return await self.get(id)

    def events(self, word: str | None = None):
        """Return the bodies of the events of schedules that were told, in order."""
        messages = self.broker.stream("SC_SCHED_EVT").messages.values()
        return [
            message.envelope.data
            for message in messages
            if word is None or message.subject == f"schedule.{word}"
        ]

    def told(self) -> list[str]:
        """Return the words that were told, in order."""
        messages = self.broker.stream("SC_SCHED_EVT").messages.values()
        return [message.subject.removeprefix("schedule.") for message in messages]

    def in_minutes(self, minutes: float) -> datetime:
        """Return the moment so long from now."""
        return self.clock.now() + timedelta(minutes=minutes)


@pytest_asyncio.fixture
async def bench(redis: Redis) -> AsyncIterator[Bench]:
    """Yield what schedules need, without a coordinator."""
    clock = Jumping()
    broker = MemoryBroker(clock=clock)
    lease = FakeLease(clock)
    cluster = FakeCluster(MemoryBus("swapper", broker), clock, lease.proves)
    await cluster.serve()
    bench = Bench(redis, clock, broker, lease, cluster)
    yield bench
    while bench.running:
        await bench.kill()


@pytest_asyncio.fixture
async def led(bench: Bench) -> Bench:
    """Return it with one coordinator running."""
    await bench.start()
    await bench.passes(0.5)
    return bench
