"""Deep checks and remedies put together: a result that means trouble is heard at once."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.settings.policies import RemedySettings
from spark_health.deep.catalogue import Catalogue, Groups
from spark_health.deep.ordering import ProbeOrders
from spark_health.deep.runner import DeepRunner
from spark_health.deep.scene import BusScene
from spark_health.deep.store import RedisDeepStore
from spark_health.deep.suspicion import Suspicions
from spark_health.deep.telling import BusChecks
from spark_health.deep.verbs import DeepVerbs
from spark_health.feature import Feature
from spark_health.remedies.lent import LentBook, OrderKeys
from spark_health.remedies.ports import Containers
from spark_health.remedies.wiring import RemedyPart, wire_remedies
from spark_health.watching.first.places import Places


@dataclass(frozen=True)
class DeepPart:
    """Its parts by name."""

    runner: DeepRunner
    verbs: DeepVerbs
    orders: ProbeOrders
    remedy: RemedyPart
    suspicions: Suspicions

    @property
    def feature(self) -> Feature:
        """Return the verbs and loops of both."""
        other = self.remedy.feature
        return Feature(
            verbs=(*self.verbs.verbs(), *other.verbs),
            background=(self.runner.run, self.orders.run, *other.background),
        )


def wire_deep(
    *,
    redis: Redis,
    bus: Bus,
    clock: Clock,
    http: httpx.AsyncClient,
    hosts: tuple[str, ...],
    places: Places,
    groups: Groups,
    containers: Containers,
    policy: Callable[[], RemedySettings],
    lent: LentBook,
    orders: OrderKeys,
) -> DeepPart:
    """Put both together; starts nothing."""
    scene, store = BusScene(bus, hosts), RedisDeepStore(redis)
    catalogue = Catalogue(places, groups, http, clock, scene.runtime)
    remedy = wire_remedies(
        redis=redis,
        bus=bus,
        clock=clock,
        containers=containers,
        scene=scene,
        policy=policy,
        places=catalogue.places,
        lent=lent,
        orders=orders,
        recheck=lambda service, seconds: runner.again_in(service, seconds),
    )
    runner = DeepRunner(
        catalogue.checks, store, scene, clock, remedy.remedies.heard, BusChecks(bus)
    )
    verbs = DeepVerbs(runner, store, clock, remedy.show.view, catalogue.hidden)
    suspicions = Suspicions(runner, clock)
    return DeepPart(runner, verbs, ProbeOrders(bus, runner, store, clock), remedy, suspicions)
