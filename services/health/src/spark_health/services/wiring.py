"""Services put together."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.health import TargetView
from spark_common.contracts.nim import NimService
from spark_common.jobs import JobRecords, JobRunner
from spark_common.remote import RemoteShell
from spark_common.settings import ClusterSettings, HostSettings
from spark_health.deep.scene import Scene
from spark_health.feature import Feature
from spark_health.remedies.holding import Leases
from spark_health.services.acting import Acting
from spark_health.services.acts import Acts
from spark_health.services.book import YamlServices
from spark_health.services.box_watch import BoxWatch
from spark_health.services.bridge.record import BRIDGE_UPDATES, BridgeRecord
from spark_health.services.bridge.verbs import BridgeVerbs
from spark_health.services.bridge.work import BridgeWork
from spark_health.services.clients import Clients, checked_client
from spark_health.services.logins import Logins, OwnShell
from spark_health.services.logs import ServiceLogs
from spark_health.services.numbers import ContainerNumbers
from spark_health.services.on_purpose import OnPurpose
from spark_health.services.pace import ServicePace
from spark_health.services.probe import Means
from spark_health.services.probes import ServiceProbes
from spark_health.services.registry import BRIDGE, Owned, Registry
from spark_health.services.service import Service
from spark_health.services.showing import ServiceShow
from spark_health.services.verbs import ServiceVerbs
from spark_health.services.versions import Versions
from spark_health.watching.first.checked_http import Resolver, SystemResolver
from spark_health.watching.first.places import Places


@dataclass(frozen=True)
class Outside:
    """What services need that lives longer than they do."""

    redis: Redis
    bus: Bus
    clock: Clock
    http: httpx.AsyncClient
    shell: RemoteShell
    open_shell: Callable[[HostSettings], OwnShell]
    """Opens a shell for a login that no Spark has."""
    resolver: Resolver = field(default_factory=SystemResolver)
    """Finds the addresses of services of the owner's own."""


@dataclass(frozen=True)
class Others:
    """What services need of the other features."""

    scene: Scene
    leases: Leases
    target: Callable[[str], TargetView | None]
    look_now: Callable[[str], Awaitable[None]]
    job: Callable[[Service], Awaitable[str | None]]
    """Says which longer work on the container of a service is under way, if any."""
    nims: Callable[[], Sequence[NimService]]


@dataclass(frozen=True)
class ServicePart:
    """Its parts by name, and what the composition root needs of them."""

    registry: Registry
    boxes: BoxWatch
    on_purpose: OnPurpose
    verbs: ServiceVerbs
    bridge: BridgeVerbs
    feature: Feature


def wire_services(
    outside: Outside,
    others: Others,
    *,
    cluster: ClusterSettings,
    places: Places,
    owned: Owned,
    records: JobRecords[BridgeRecord],
    secrets: Callable[[], Sequence[str]],
    data_dir: Path,
    pace: ServicePace,
    bridge_work: Callable[[RemoteShell], BridgeWork] | None = None,
) -> ServicePart:
    """Put them together; connects nothing and starts nothing.

    ``secrets``: what is masked in logs wherever it stands.
    """
    clock = outside.clock
    logins = Logins(outside.shell, cluster, outside.open_shell)
    book = YamlServices(data_dir)
    registry = Registry(cluster, places, owned, others.nims, book, logins)
    probes = ServiceProbes(registry)
    boxes = BoxWatch(logins, probes.containers, clock, pace)
    clients = Clients(outside.http, checked_client(outside.resolver))
    versions = Versions(clients, clock)
    acts = Acts(outside.redis, pace.owned_ms)

    async def job(service: Service) -> str | None:
        return await (bridge.at_work() if service.name == BRIDGE else others.job(service))

    acting = Acting(
        acts=acts,
        shell=logins,
        boxes=boxes,
        scene=others.scene,
        leases=others.leases,
        clock=clock,
        pace=pace,
        looks=others.look_now,
        job=job,
    )
    on_purpose = OnPurpose(outside.bus, boxes, clock)
    show = ServiceShow(boxes, versions, others.target)
    counted = ContainerNumbers(lambda: show.containers(registry.services().values()), clock)
    verbs = ServiceVerbs(
        registry=registry,
        book=book,
        show=show,
        acting=acting,
        acts=acts,
        logs=ServiceLogs(logins, secrets),
        clock=clock,
        models=lambda: owned.runtime().vllm_container,
    )
    runner = JobRunner(
        kind=BRIDGE_UPDATES,
        store=records,
        bus=outside.bus,
        clock=clock,
        work=(bridge_work or partial(BridgeWork, clock=clock, pace=pace))(logins),
        after=lambda record: bridge.over(record),
    )
    bridge = BridgeVerbs(
        runner=runner,
        services=verbs,
        settings=owned.bridge,
        acts=acts,
        scene=others.scene,
        shell=logins,
        bus=outside.bus,
        clock=clock,
    )

    async def close() -> None:
        await clients.listed.aclose()
        await logins.close()

    means = Means(boxes, versions, clients, clock, pace.look_seconds)
    feature = Feature(
        verbs=(*verbs.verbs(), *bridge.verbs()),
        background=(boxes.run, on_purpose.run, acting.run, runner.run, counted.run),
        probes=probes.with_means(means),
        close=close,
    )
    return ServicePart(registry, boxes, on_purpose, verbs, bridge, feature)
