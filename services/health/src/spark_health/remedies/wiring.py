"""Remedies put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.settings.policies import RemedySettings
from spark_health.deep.ports import Place
from spark_health.deep.scene import Scene
from spark_health.feature import Feature
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.holding import BusLeases
from spark_health.remedies.lent import LentBook, LentReturns, OrderKeys
from spark_health.remedies.numbers import RemedyNumbers
from spark_health.remedies.ports import Containers
from spark_health.remedies.remedying import Remedies
from spark_health.remedies.showing import RemedyShow
from spark_health.remedies.telling import ActionTeller
from spark_health.remedies.verbs import RemedyVerbs


@dataclass(frozen=True)
class RemedyPart:
    """Its parts by name."""

    remedies: Remedies
    book: RemedyBook
    show: RemedyShow
    verbs: RemedyVerbs
    teller: ActionTeller
    returns: LentReturns
    numbers: RemedyNumbers

    @property
    def feature(self) -> Feature:
        """Return its verbs and loops."""
        background = (self.remedies.run, self.teller.run, self.returns.run, self.numbers.run)
        return Feature(verbs=self.verbs.verbs(), background=background)


def wire_remedies(
    *,
    redis: Redis,
    bus: Bus,
    clock: Clock,
    containers: Containers,
    scene: Scene,
    policy: Callable[[], RemedySettings],
    places: Callable[[], Mapping[str, Place]],
    recheck: Callable[[str, float], None],
    lent: LentBook,
    orders: OrderKeys,
) -> RemedyPart:
    """Put remedies together; starts nothing.

    ``recheck``: has a service checked after seconds.
    """
    book = RemedyBook(redis)
    remedies = Remedies(
        book=book,
        containers=containers,
        leases=BusLeases(bus, lent, orders, book.job_at_work),
        scene=scene,
        clock=clock,
        policy=policy,
        recheck=recheck,
    )
    show = RemedyShow(book, remedies, policy)
    verbs = RemedyVerbs(remedies, book, show, places)
    returns = LentReturns(lent, bus, orders, clock, book.claims)
    numbers = RemedyNumbers(book, places, clock)
    return RemedyPart(
        remedies, book, show, verbs, ActionTeller(redis, bus, clock), returns, numbers
    )
