"""The cluster at one moment, as far as somebody answers: lease, swaps, traffic."""

import asyncio
from dataclasses import dataclass

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.leases import GET_LEASE, GetLease, LeaseView
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps
from spark_common.contracts.traffic import GET_TRAFFIC, GetTraffic, Traffic
from spark_common.errors import SparkError

_ASK_SECONDS = 2.0
_log = structlog.get_logger()


@dataclass(frozen=True)
class Sight:
    """What was seen; None is what nobody answered about."""

    at: float
    """When it was asked for, on the monotonic clock."""
    lease: LeaseView | None = None
    swaps: Swaps | None = None
    traffic: Traffic | None = None

    @property
    def quiet(self) -> bool:
        """Nothing is in flight and no swap runs; false when nobody can tell."""
        if self.traffic is None or self.swaps is None:
            return False
        return self.traffic.in_flight == 0 and self.swaps.current is None

    def nothing_since(self, earlier: "Sight") -> bool:
        """Say whether no request was taken on since an earlier look, as far as that is counted."""
        if self.traffic is None or earlier.traffic is None:
            return False
        return self.traffic.taken_on == earlier.traffic.taken_on


class ClusterSight:
    """Asks everybody at once and waits two seconds at most."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def look(self) -> Sight:
        """Return what is seen now."""
        at = self._clock.monotonic()
        lease, swaps, traffic = await asyncio.gather(
            self._ask(GET_LEASE, GetLease()),
            self._ask(LIST_SWAPS, ListSwaps()),
            self._ask(GET_TRAFFIC, GetTraffic()),
        )
        return Sight(at, lease, swaps, traffic)

    async def _ask(self, rpc: Rpc[RequestT, ReplyT], request: RequestT) -> ReplyT | None:
        try:
            return await self._bus.call(rpc, request, timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _log.debug("sight.unanswered", subject=rpc.subject, reason=error.code)
            return None
