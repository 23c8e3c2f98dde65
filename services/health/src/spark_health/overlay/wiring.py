"""Puts the parts of the speech overlay together."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.jobs import JobRecords, JobRunner, RedisJobRecords
from spark_common.leasing import LeaseGate
from spark_common.owner import LiveSettings
from spark_common.remote import RemoteShell
from spark_common.settings import HostSettings, HostsSettings
from spark_common.settings.support import ParakeetSettings
from spark_health.deep.scene import BusScene
from spark_health.feature import Feature
from spark_health.overlay.record import OVERLAYS, OverlayRecord
from spark_health.overlay.server import ask
from spark_health.overlay.source import read_shipped
from spark_health.overlay.spark import Login, SpeechSpark, own_login
from spark_health.overlay.steps import Steps
from spark_health.overlay.target import target_of
from spark_health.overlay.verbs import Beside, SpeechVerbs
from spark_health.overlay.waiting import Waiting
from spark_health.overlay.work import OverlayWork
from spark_health.remedies.gate import Obstacles, SwapsAndLease
from spark_health.remedies.holding import Leases
from spark_health.services.logins import Logins, OwnShell
from spark_health.settings import HealthSettings

_POLL_SECONDS = 1.0


def wire_overlay(
    settings: HealthSettings,
    live: LiveSettings,
    *,
    bus: Bus,
    redis: Redis,
    shell: RemoteShell,
    open_shell: Callable[[HostSettings], OwnShell],
    leases: Leases,
    http: httpx.AsyncClient,
    clock: Clock,
) -> Feature:
    """Put it together on real Sparks; connects nothing and starts nothing."""
    logins = Logins(shell, settings.cluster, open_shell)
    scene = BusScene(bus, tuple(host.name for host in settings.cluster.hosts))
    feature = wire_parts(
        bus=bus,
        shell=logins,
        login=lambda _, address, user: logins.of(address, user).shell,
        http=http,
        clock=clock,
        hosts=settings.cluster,
        parakeet=live.of(settings.parakeet),
        records=RedisJobRecords(redis, OVERLAYS),
        obstacles=SwapsAndLease(scene, LeaseGate(redis), leases),
        cluster_dir=settings.cluster_dir,
    )
    return replace(feature, close=logins.close)


def wire_parts(
    *,
    bus: Bus,
    shell: RemoteShell,
    http: httpx.AsyncClient,
    clock: Clock,
    hosts: HostsSettings,
    parakeet: Callable[[], ParakeetSettings],
    records: JobRecords[OverlayRecord],
    obstacles: Obstacles,
    cluster_dir: Path | None,
    poll_seconds: Callable[[], float] = lambda: _POLL_SECONDS,
    login: Login = own_login,
) -> Feature:
    """Put it together with these records and these obstacles."""
    shipped, asked = partial(read_shipped, cluster_dir), partial(ask, http)
    spark, waiting = SpeechSpark(shell, login), Waiting(obstacles, clock, poll_seconds)
    steps = Steps(spark, asked, waiting, bus, clock, poll_seconds)
    work = OverlayWork(steps, waiting, shipped)
    runner = JobRunner(kind=OVERLAYS, store=records, bus=bus, clock=clock, work=work)
    beside = Beside(lambda: target_of(parakeet(), hosts), shipped, spark, asked)
    verbs = SpeechVerbs(runner, beside, obstacles, clock)
    return Feature(verbs=verbs.verbs(), background=[runner.run])
