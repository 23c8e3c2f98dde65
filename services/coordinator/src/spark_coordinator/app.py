"""The composition root of the coordinator: the one place that knows every concrete class."""

from collections.abc import Sequence
from functools import partial

from redis.asyncio import Redis

from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Bus
from spark_common.bus.provision import provision
from spark_common.clock import Clock
from spark_common.redis_access import connect_redis
from spark_common.service import Service, compose, streams_check
from spark_coordinator.accounts.feature import accounts
from spark_coordinator.feature import Feature
from spark_coordinator.home.feature import home
from spark_coordinator.leasing import wire_lease
from spark_coordinator.settings import CoordinatorSettings
from spark_coordinator.streams import StreamKeeper
from spark_coordinator.webhooks.feature import webhooks
from spark_coordinator.webhooks.guard import TargetGuard

NAME = "coordinator"
DESCRIPTION = "The lease of the cluster, webhooks, and the streams of the event bus"
GATEWAY_PORT = 9999
"""Inside a container, whatever is published outside."""


async def build(settings: CoordinatorSettings, clock: Clock) -> Service:
    """Connect and put the coordinator on the bus; raises UnavailableError while NATS is away."""
    bus = await connect_bus(settings.bus, NAME, clock)
    redis = connect_redis(settings.redis, NAME)
    keeper = StreamKeeper(bus, partial(provision, settings.provisioner, clock), clock)
    guard = TargetGuard(frozenset({settings.gateway_port, GATEWAY_PORT}))
    lease = wire_lease(redis=redis, bus=bus, clock=clock, policy=lambda: settings.lease)
    features = [
        lease.feature,
        accounts(bus, redis, clock, settings.data_dir),
        home(bus, redis, clock, lambda: settings.home),
        webhooks(redis, bus, clock, lambda: settings.webhook, guard),
    ]
    return await assemble(bus, redis, keeper, clock, features)


async def assemble(
    bus: Bus,
    redis: Redis,
    keeper: StreamKeeper,
    clock: Clock,
    features: Sequence[Feature] = (),
) -> Service:
    """Put the parts together."""
    return await compose(
        NAME,
        DESCRIPTION,
        bus,
        redis,
        clock,
        verbs=[verb for feature in features for verb in feature.verbs],
        checks=[
            keeper.check,
            streams_check(bus),
            *(check for feature in features for check in feature.checks),
        ],
        background=[keeper.keep, *(loop for feature in features for loop in feature.background)],
    )
