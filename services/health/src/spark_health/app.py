"""The composition root of health: the one place that knows every concrete class."""

from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import httpx
from redis.asyncio import Redis

from spark_common.bus.nats import connect_bus
from spark_common.bus.nats_link import read_seed
from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.jobs import RedisJobRecords
from spark_common.leasing import LeaseGate
from spark_common.owner import LiveSettings
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.remote.port import RemoteShell
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.service import Service
from spark_common.service.compose import compose
from spark_health.deep.catalogue import Groups
from spark_health.deep.scene import BusScene
from spark_health.deep.wiring import DeepPart, wire_deep
from spark_health.feature import Feature
from spark_health.hosts.known import containers_of
from spark_health.hosts.wiring import wire_hosts
from spark_health.nim.record import NIM_INSTALLS, RECORDS
from spark_health.nim.wiring import wire_nim
from spark_health.overlay.wiring import wire_overlay
from spark_health.remedies.gate import SwapsAndLease
from spark_health.remedies.holding import BusLeases, Leases
from spark_health.remedies.lent import LentBook, OrderKeys
from spark_health.remedies.ssh_containers import SshContainers
from spark_health.services.book import YamlServices
from spark_health.services.from_settings import services_of
from spark_health.services.registry import RESERVED
from spark_health.settings import HealthSettings, WatchPace
from spark_health.watching.first.places import Places
from spark_health.watching.first.sources import first_probes
from spark_health.watching.wiring import wire_watching

NAME = "health"
DESCRIPTION = "Sees how the hosts and services are"


async def build(settings: HealthSettings, clock: Clock) -> Service:
    """Connect and put health on the bus; raises UnavailableError while NATS or Redis is away."""
    async with AsyncExitStack() as opened:
        redis = connect_redis(settings.redis, NAME, idempotent_reads=True)
        opened.push_async_callback(redis.aclose)
        bus = await connect_bus(settings.bus, NAME, clock)
        opened.push_async_callback(bus.close)
        shell = SshShell(settings.cluster, clock, _times(settings.pace))
        opened.push_async_callback(shell.close)
        http = plain_client()
        opened.push_async_callback(http.aclose)
        live = LiveSettings(RedisOverlay(redis), bus, clock)
        places = _places(settings, live)
        first = first_probes(places, http, bus, clock, settings.pace)
        features: list[Feature] = []
        lent, orders = LentBook(redis, clock), OrderKeys(read_seed(settings.bus.seed_file))
        leases = BusLeases(bus, lent, orders)
        deep = _deep(settings, live, redis, bus, clock, http, shell, places, lent, orders)
        watching = wire_watching(
            redis=redis,
            bus=bus,
            clock=clock,
            sources=lambda: [
                first,
                *(feature.probes for feature in features),
            ],
            endpoints=places.endpoints,
            disabled=places.disabled,
            heard=deep.suspicions.heard,
        )
        features += [watching.feature, deep.feature]
        features += [_nim(settings, live, bus, redis, shell, http, clock, places, leases)]
        services = services_of(
            settings, live, _times(settings.pace), redis=redis, bus=bus, clock=clock, http=http,
            shell=shell, leases=leases, watch=watching.watch, places=places,
        )  # fmt: skip
        features += [services.feature]
        features += [
            wire_hosts(
                redis=redis,
                shell=shell,
                cluster=settings.cluster,
                pace=settings.pace,
                clock=clock,
                data_dir=settings.data_dir,
                known=containers_of(settings, live),
                disabled=places.disabled,
            ),
            wire_overlay(
                settings,
                live,
                bus=bus,
                redis=redis,
                shell=shell,
                open_shell=lambda host: SshShell(
                    settings.cluster.model_copy(update={"hosts": (host,)}),
                    clock,
                    _times(settings.pace),
                ),
                leases=leases,
                http=http,
                clock=clock,
            ),
        ]
        with suppress(SparkError):
            # So that the first looks go where the owner said; the loop reads it again.
            await live.refresh()
        for feature in features:
            if feature.close is not None:
                opened.push_async_callback(feature.close)
        service = await compose(
            NAME,
            DESCRIPTION,
            bus,
            redis,
            clock,
            verbs=[verb for feature in features for verb in feature.verbs],
            checks=[check for feature in features for check in feature.checks],
            background=[live.run, *(loop for each in features for loop in each.background)],
            warnings=lambda: (*settings.warnings, *live.warnings),
        )
        kept = opened.pop_all()
    return replace(service, close=kept.aclose)


def _deep(
    settings: HealthSettings,
    live: LiveSettings,
    redis: Redis,
    bus: Bus,
    clock: Clock,
    http: httpx.AsyncClient,
    shell: RemoteShell,
    places: Places,
    lent: LentBook,
    orders: OrderKeys,
) -> DeepPart:
    groups = Groups(
        parakeet=live.of(settings.parakeet),
        kokoro=live.of(settings.kokoro),
        magpie=live.of(settings.magpie),
        embed=live.of(settings.embed),
        qdrant=live.of(settings.qdrant),
    )
    return wire_deep(
        redis=redis,
        bus=bus,
        clock=clock,
        http=http,
        hosts=tuple(host.name for host in settings.cluster.hosts),
        places=places,
        groups=groups,
        containers=SshContainers(shell),
        policy=live.of(settings.remedies),
        lent=lent,
        orders=orders,
    )


def _nim(
    settings: HealthSettings,
    live: LiveSettings,
    bus: Bus,
    redis: Redis,
    shell: RemoteShell,
    http: httpx.AsyncClient,
    clock: Clock,
    places: Places,
    leases: Leases,
) -> Feature:
    ngc, own = live.of(settings.ngc), YamlServices(settings.data_dir)
    scene = BusScene(bus, tuple(host.name for host in settings.cluster.hosts))
    return wire_nim(
        bus=bus,
        shell=shell,
        http=http,
        clock=clock,
        hosts=settings.cluster,
        records=RedisJobRecords(redis, replace(NIM_INSTALLS, name=RECORDS)),
        key=lambda: ngc().ngc_api_key,
        data_dir=settings.data_dir,
        poll_seconds=lambda: settings.pace.health_look_seconds / 2,
        leases=leases,
        scene=scene,
        obstacles=SwapsAndLease(scene, LeaseGate(redis), leases),
        look_seconds=settings.pace.health_look_seconds,
        used=lambda: [(one.label, one.address, one.port) for one in places.all().values()],
        watched=lambda: frozenset(
            {
                *RESERVED,
                *(one.name for one in settings.cluster.hosts),
                *(one.name for one in own.read().services),
            }
        ),
    ).feature


def _places(settings: HealthSettings, live: LiveSettings) -> Places:
    return Places(
        settings.cluster,
        runtime=live.of(settings.cluster.runtime),
        page=live.of(settings.page),
        parakeet=live.of(settings.parakeet),
        kokoro=live.of(settings.kokoro),
        magpie=live.of(settings.magpie),
        embed=live.of(settings.embed),
        qdrant=live.of(settings.qdrant),
    )


def _times(pace: WatchPace) -> SshTimes:
    """Every look is a look of its own: a failure is remembered for less than lies between."""
    return SshTimes(
        connect_seconds=min(6.0, pace.health_patience_seconds),
        remember_seconds=0.8 * pace.again_seconds,
    )
