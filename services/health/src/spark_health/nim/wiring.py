"""The NIM installer put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.jobs import JobRecords, JobRunner
from spark_common.remote import RemoteShell
from spark_common.settings import HostsSettings
from spark_health.deep.scene import Scene
from spark_health.feature import Feature
from spark_health.nim.admission import NimAdmission
from spark_health.nim.catalogue import read_catalogue
from spark_health.nim.probing import nim_probes, url_of
from spark_health.nim.record import NIM_INSTALLS, NimRecord
from spark_health.nim.verbs import NimVerbs
from spark_health.nim.waiting_keys import WaitingKeys
from spark_health.nim.work import NimWork
from spark_health.nim.yaml_book import YamlNims
from spark_health.remedies.gate import Obstacles
from spark_health.remedies.holding import Leases
from spark_health.watching.first.http_look import look


@dataclass(frozen=True)
class NimPart:
    """Its parts by name, and what the composition root needs of them."""

    verbs: NimVerbs
    runner: JobRunner[NimRecord]
    feature: Feature


def _nothing() -> Sequence[tuple[str, str, int]]:
    return ()


def wire_nim(
    *,
    bus: Bus,
    shell: RemoteShell,
    http: httpx.AsyncClient,
    clock: Clock,
    hosts: HostsSettings,
    records: JobRecords[NimRecord],
    key: Callable[[], SecretStr | None],
    data_dir: Path,
    poll_seconds: Callable[[], float],
    leases: Leases,
    scene: Scene,
    obstacles: Obstacles,
    look_seconds: float = 5.0,
    used: Callable[[], Sequence[tuple[str, str, int]]] = _nothing,
    watched: Callable[[], frozenset[str]] = frozenset,
) -> NimPart:
    """Put it together; connects nothing and starts nothing.

    ``used``: label, address and port of what the settings name; ``watched``: names of targets.
    """
    installed = YamlNims(data_dir)
    keys = WaitingKeys(key)

    async def healthy(record: NimRecord) -> bool:
        where = url_of(record.address, record.entry.port) + record.entry.health_path
        return (await look(http, where)).status == 200

    admission = NimAdmission(shell, leases, scene, obstacles)
    work = NimWork(shell, healthy, installed, keys, clock, poll_seconds, admission.turn)
    runner = JobRunner(kind=NIM_INSTALLS, store=records, bus=bus, clock=clock, work=work)
    verbs = NimVerbs(
        runner=runner,
        installed=installed,
        catalogue=lambda: read_catalogue(data_dir),
        keys=keys,
        hosts=hosts,
        used=used,
        watched=watched,
        shell=shell,
        admission=admission,
        bus=bus,
        clock=clock,
    )
    probes = nim_probes(installed.read, hosts, http, clock, look_seconds)
    return NimPart(verbs, runner, Feature(verbs.verbs(), (runner.run,), probes=probes))
