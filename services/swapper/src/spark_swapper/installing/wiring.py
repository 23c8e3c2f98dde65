"""Puts the parts of installations together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.jobs import JobRecords, JobRunner
from spark_common.remote import RemoteShell
from spark_common.remote.detached import DetachedSteps
from spark_common.settings import HostsSettings
from spark_common.settings.support import EmbedSettings
from spark_swapper.installing.health import look
from spark_swapper.installing.record import INSTALLS, InstallRecord
from spark_swapper.installing.source import find_source, pack
from spark_swapper.installing.verbs import IMAGE, EmbeddingVerbs, target_of
from spark_swapper.installing.work import InstallWork


@dataclass(frozen=True)
class InstallPart:
    """What the service serves and runs."""

    verbs: EmbeddingVerbs
    runner: JobRunner[InstallRecord]


def wire_installs(
    *,
    bus: Bus,
    shell: RemoteShell,
    http: httpx.AsyncClient,
    clock: Clock,
    hosts: HostsSettings,
    embed: Callable[[], EmbedSettings],
    records: JobRecords[InstallRecord],
    cluster_dir: Path | None,
    poll_seconds: Callable[[], float],
) -> InstallPart:
    """Put it together; connects nothing and starts nothing."""
    packed = lambda: pack(find_source(cluster_dir, IMAGE))  # noqa: E731 - one expression
    healthy = partial(look, http)
    work = InstallWork(shell, packed, healthy, clock, poll_seconds)
    runner = JobRunner(kind=INSTALLS, store=records, bus=bus, clock=clock, work=work)
    verbs = EmbeddingVerbs(
        runner, lambda: target_of(embed(), hosts), packed, healthy, DetachedSteps(shell), clock
    )
    return InstallPart(verbs, runner)
