"""Watching put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.health import Endpoint
from spark_health.feature import Feature
from spark_health.watching.connectivity import Log
from spark_health.watching.maintaining import MaintenanceBook
from spark_health.watching.ports import Probe
from spark_health.watching.reports import Heard, Reports, unheard
from spark_health.watching.store import Standings
from spark_health.watching.telling import Teller
from spark_health.watching.uptime import UptimeBook
from spark_health.watching.verbs import WatchVerbs
from spark_health.watching.watch import Watch, by_name


@dataclass(frozen=True)
class WatchPart:
    """Its parts by name, and what the composition root needs of them."""

    watch: Watch
    log: Log
    reports: Reports
    maintenance: MaintenanceBook
    teller: Teller
    verbs: WatchVerbs

    @property
    def feature(self) -> Feature:
        """Return its verbs and loops."""
        return Feature(
            verbs=self.verbs.verbs(),
            background=(self.watch.run, self.log.run, self.reports.run, self.teller.run),
        )


def wire_watching(
    *,
    redis: Redis,
    bus: Bus,
    clock: Clock,
    sources: Callable[[], Sequence[Callable[[], Sequence[Probe]]]],
    endpoints: Callable[[], Sequence[Endpoint]] = tuple,
    disabled: Callable[[], Sequence[str] | frozenset[str]] = tuple,
    heard: Heard = unheard,
) -> WatchPart:
    """Put watching together; starts nothing.

    ``sources``: of two probes of one target the later source's looks. What is disabled has
    none, whoever brings one.
    """
    maintenance = MaintenanceBook(redis, clock)
    teller = Teller(redis, bus, clock)

    def wanted() -> list[Probe]:
        hidden = set(disabled())
        found = by_name([source() for source in sources()])
        return [probe for probe in found if probe.target.name not in hidden]

    watch = Watch(
        wanted,
        standings=Standings(redis),
        uptime=UptimeBook(redis),
        maintenance=maintenance,
        teller=teller,
        bus=bus,
        clock=clock,
    )
    log = Log(bus, clock)
    reports = Reports(bus, clock, lambda: watch.targets, heard)
    verbs = WatchVerbs(watch, log, reports, maintenance, endpoints, lambda: list(disabled()), clock)
    return WatchPart(watch, log, reports, maintenance, teller, verbs)
