"""The composition root of the coordinator: the one place that knows every concrete class."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from redis.asyncio import Redis

from spark_common.bus.nats import connect_bus
from spark_common.bus.nats_link import read_seed
from spark_common.bus.port import Bus
from spark_common.bus.provision import provision
from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.redis_access import connect_redis
from spark_common.service import Service, streams_check
from spark_common.service.compose import compose
from spark_common.settings.secret_files import with_secret_files
from spark_coordinator.accounts.feature import FOLDER, accounts
from spark_coordinator.api_keys.feature import api_keys
from spark_coordinator.captures.feature import captures
from spark_coordinator.dead_letters import dead_letters
from spark_coordinator.feature import Feature
from spark_coordinator.home.feature import home
from spark_coordinator.leasing import wire_lease
from spark_coordinator.owner import owner_feature
from spark_coordinator.owner.state.custom_services import CustomServices
from spark_coordinator.owner.state.maintenance import MaintenanceState
from spark_coordinator.owner.state.schedules import ScheduleState
from spark_coordinator.requests.feature import requests
from spark_coordinator.schedules.token_box import TokenBox
from spark_coordinator.schedules.wiring import wire_schedules
from spark_coordinator.settings import CoordinatorSettings
from spark_coordinator.streams import StreamKeeper
from spark_coordinator.webhooks.feature import targets_as_state, webhooks
from spark_coordinator.webhooks.guard import TargetGuard

NAME = "coordinator"
DESCRIPTION = "Lease, schedules, webhooks, settings, and the streams of the event bus"
GATEWAY_PORT = 9999
"""Inside a container, whatever is published outside."""


async def build(
    settings: CoordinatorSettings, clock: Clock, environment: Mapping[str, str] = os.environ
) -> Service:
    """Connect and put the coordinator on the bus; raises UnavailableError while NATS is away.

    ``environment``: what the owner's settings overlay, also those that only others read.
    """
    bus = await connect_bus(settings.bus, NAME, clock)
    redis = connect_redis(settings.redis, NAME)
    keeper = StreamKeeper(bus, partial(provision, settings.provisioner, clock), clock)
    live = LiveSettings(RedisOverlay(redis), bus, clock)
    lease = wire_lease(redis=redis, bus=bus, clock=clock, policy=live.of(settings.lease))
    schedules = wire_schedules(
        redis=redis,
        bus=bus,
        clock=clock,
        lease=lease.leases,
        box=TokenBox(read_seed(settings.bus.seed_file)),
    )
    keys, keys_as_state = api_keys(redis, bus, clock, live.of(settings.keys))
    guard = TargetGuard(frozenset({settings.gateway_port, GATEWAY_PORT}))
    features = [
        lease.feature,
        schedules.feature,
        keys,
        webhooks(redis, bus, clock, live.of(settings.webhook), guard),
        accounts(bus, redis, clock, settings.data_dir),
        home(bus, redis, clock, live.of(settings.home)),
        requests(settings.data_dir / FOLDER, clock, live.of(settings.request_log)),
        captures(settings.data_dir / FOLDER, clock),
        owner_feature(
            bus=bus,
            redis=redis,
            clock=clock,
            live=live,
            environment=with_secret_files(environment)[0],
            data_dir=settings.data_dir,
            sections=[
                ScheduleState(schedules.registry),
                targets_as_state(redis, bus, clock, guard),
                keys_as_state,
                CustomServices(bus),
                MaintenanceState(bus, clock),
            ],
        ),
        dead_letters(bus),
    ]
    return await assemble(
        bus, redis, keeper, clock, features, lambda: (*settings.warnings, *live.warnings)
    )


async def assemble(
    bus: Bus,
    redis: Redis,
    keeper: StreamKeeper,
    clock: Clock,
    features: Sequence[Feature] = (),
    warnings: Callable[[], Sequence[str]] = tuple,
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
        warnings=warnings,
    )
