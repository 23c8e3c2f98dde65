"""Schedules put together."""

from dataclasses import dataclass

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_coordinator.feature import Feature
from spark_coordinator.leading import Leadership
from spark_coordinator.outbox import Outbox
from spark_coordinator.schedules import keys
from spark_coordinator.schedules.carrying import Carrying
from spark_coordinator.schedules.dead_man import DeadMan
from spark_coordinator.schedules.effects import Effects
from spark_coordinator.schedules.firing import Firing
from spark_coordinator.schedules.hearing import Hearing
from spark_coordinator.schedules.holding import Holding
from spark_coordinator.schedules.ports import TakesLease
from spark_coordinator.schedules.registry import Registry
from spark_coordinator.schedules.run_store import RunStore
from spark_coordinator.schedules.scheduler import Scheduler
from spark_coordinator.schedules.telling import event_of
from spark_coordinator.schedules.tidying import Tidying
from spark_coordinator.schedules.verbs import ScheduleVerbs


@dataclass(frozen=True)
class SchedulesPart:
    """Its parts by name, and what the composition root needs of them."""

    verbs: ScheduleVerbs
    scheduler: Scheduler
    leadership: Leadership
    outbox: Outbox
    registry: Registry
    runs: RunStore

    @property
    def feature(self) -> Feature:
        """Return its verbs and loops."""
        return Feature(
            verbs=self.verbs.verbs(),
            background=(self.leadership.run, self.scheduler.run, self.outbox.run),
        )


def wire_schedules(
    *,
    redis: Redis,
    bus: Bus,
    clock: Clock,
    lease: TakesLease,
    leadership: Leadership | None = None,
) -> SchedulesPart:
    """Put the schedules together."""
    outbox = Outbox(redis, keys.OUTBOX, bus, clock, event_of)
    registry, runs = Registry(redis, clock), RunStore(redis)
    dead_man = DeadMan(registry, runs, clock, outbox.wake)
    lease.on_refusal(dead_man.refused)
    leadership = leadership or Leadership(redis, "schedules", clock)
    holding, effects = Holding(lease, runs, clock), Effects(bus, clock)
    scheduler = Scheduler(
        leadership=leadership,
        firing=Firing(registry, runs, clock, outbox.wake),
        carrying=Carrying(registry, runs, holding, effects, clock, outbox.wake),
        dead_man=dead_man,
        hearing=Hearing(redis, bus, dead_man, clock),
        tidying=Tidying(registry, clock),
        clock=clock,
    )
    verbs = ScheduleVerbs(
        registry=registry, runs=runs, dead_man=dead_man, lease=lease, outbox=outbox, clock=clock
    )
    return SchedulesPart(verbs, scheduler, leadership, outbox, registry, runs)
