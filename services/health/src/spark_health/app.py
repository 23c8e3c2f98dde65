"""The composition root of health: the one place that knows every concrete class."""

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from spark_common.bus.nats import connect_bus
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.jobs import RedisJobRecords
from spark_common.leasing import LeaseGate
from spark_common.owner import LiveSettings, RedisOverlay
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.service import Service, compose
from spark_health.feature import Feature
from spark_health.overlay.gate import SwapsAndLease
from spark_health.overlay.record import OVERLAYS
from spark_health.overlay.wiring import wire_overlay
from spark_health.settings import HealthSettings

NAME = "health"
DESCRIPTION = "Sees how the hosts and services are"
_SSH = SshTimes(remember_seconds=4.0)
"""Every look is a look of its own: shorter than the rest between two."""


async def build(settings: HealthSettings, clock: Clock) -> Service:
    """Connect and put health on the bus; raises UnavailableError while NATS or Redis is away."""
    async with AsyncExitStack() as opened:
        redis = connect_redis(settings.redis, NAME, idempotent_reads=True)
        opened.push_async_callback(redis.aclose)
        bus = await connect_bus(settings.bus, NAME, clock)
        opened.push_async_callback(bus.close)
        shell = SshShell(settings.cluster, clock, _SSH)
        opened.push_async_callback(shell.close)
        http = plain_client()
        opened.push_async_callback(http.aclose)
        live = LiveSettings(RedisOverlay(redis), bus, clock)
        with suppress(SparkError):
            # Before the first look, so that it goes where the owner said; later without.
            await live.refresh()
        overlay = wire_overlay(
            bus=bus,
            shell=shell,
            http=http,
            clock=clock,
            hosts=settings.cluster,
            parakeet=live.of(settings.parakeet),
            records=RedisJobRecords(redis, OVERLAYS),
            obstacles=SwapsAndLease(bus, LeaseGate(redis)),
            cluster_dir=settings.cluster_dir,
        )
        features: Sequence[Feature] = [overlay]
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
