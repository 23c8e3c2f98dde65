"""Puts the parts of the speech overlay together."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.jobs import JobRecords, JobRunner
from spark_common.remote import RemoteShell
from spark_common.settings import HostsSettings
from spark_common.settings.support import ParakeetSettings
from spark_health.feature import Feature
from spark_health.overlay.gate import Obstacles
from spark_health.overlay.record import OVERLAYS, OverlayRecord
from spark_health.overlay.server import ask
from spark_health.overlay.source import read_shipped
from spark_health.overlay.spark import SpeechSpark
from spark_health.overlay.steps import Steps
from spark_health.overlay.target import target_of
from spark_health.overlay.verbs import Beside, SpeechVerbs
from spark_health.overlay.waiting import Waiting
from spark_health.overlay.work import OverlayWork

_POLL_SECONDS = 1.0


def wire_overlay(
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
) -> Feature:
    """Put it together; connects nothing and starts nothing."""
    shipped, asked = partial(read_shipped, cluster_dir), partial(ask, http)
    spark, waiting = SpeechSpark(shell), Waiting(obstacles, clock, poll_seconds)
    steps = Steps(spark, asked, waiting, bus, clock, poll_seconds)
    work = OverlayWork(steps, waiting, shipped)
    runner = JobRunner(kind=OVERLAYS, store=records, bus=bus, clock=clock, work=work)
    beside = Beside(lambda: target_of(parakeet(), hosts), shipped, spark, asked)
    verbs = SpeechVerbs(runner, beside, obstacles, clock)
    return Feature(verbs=verbs.verbs(), background=[runner.run])
