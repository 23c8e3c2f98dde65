"""Puts the accounts together."""

from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.contracts.accountability import (
    GET_ACCOUNTABILITY,
    Accountability,
    GetAccountability,
)
from spark_coordinator.accounts.following import STREAMS, Follower
from spark_coordinator.accounts.idleness import IdleWatch
from spark_coordinator.accounts.keeper import Keeper
from spark_coordinator.feature import Feature
from spark_coordinator.leading import Leadership
from spark_coordinator.sight import ClusterSight

FOLDER = "coordinator"
"""Below DATA_DIR."""


def accounts(bus: Bus, redis: Redis, clock: Clock, data_dir: Path) -> Feature:
    """Return the feature: one verb, the readers of two streams, the look at idleness."""
    keeper = Keeper(data_dir / FOLDER, clock)
    follower = Follower(bus, keeper, clock)
    leadership = Leadership(redis, "accounts", clock)
    idleness = IdleWatch(ClusterSight(bus, clock), keeper, leadership, clock)

    async def answer(request: GetAccountability) -> Accountability:
        return await keeper.report(request.days)

    return Feature(
        verbs=[Serving(GET_ACCOUNTABILITY, answer, limit=4)],
        background=[
            *(partial(follower.follow, stream) for stream in STREAMS),
            follower.sum_up,
            leadership.run,
            idleness.run,
        ],
    )
