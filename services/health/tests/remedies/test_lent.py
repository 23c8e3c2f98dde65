"""Leases that a killed process of health held: given back, unless somebody carries on."""

from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from spark_common.bus.port import Serving
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    RELEASE_LEASE,
    AcquireLease,
    LeaseGrant,
    Released,
    ReleaseLease,
)
from spark_common.errors import LeaseHeldError, UnavailableError
from spark_common.leasing import token_for
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_health.remedies import keys
from spark_health.remedies.holding import BusLeases, InTheWayError
from spark_health.remedies.lent import SIGN_SECONDS, LentBook, LentReturns, OrderKeys

pytestmark = pytest.mark.connected
SEED = "the seed of every process of health"


@dataclass
class Coordinator:
    """One lease, with the tokens that the real one gives out."""

    token: str | None = None
    log: list[str] = field(default_factory=list)

    async def serve(self, broker: MemoryBroker) -> None:
        verbs = [Serving(ACQUIRE_LEASE, self.acquire), Serving(RELEASE_LEASE, self.release)]
        await MemoryBus("coordinator", broker).serve("coordinator", "1", "lease", verbs)

    async def acquire(self, request: AcquireLease) -> LeaseGrant:
        assert request.key is not None
        token = token_for(request.key.get_secret_value(), request.holder)
        if self.token not in (None, token):
            raise LeaseHeldError("somebody holds the cluster")
        self.token = token
        self.log.append("acquired")
        return LeaseGrant(state="held", token=token, epoch=1)

    async def release(self, request: ReleaseLease) -> Released:
        assert request.token is not None
        if self.token is None:
            return Released(released="nothing", epoch=1)
        if self.token != request.token.get_secret_value():
            raise LeaseHeldError("that is not yours")
        self.token = None
        self.log.append("released")
        return Released(released="lease", epoch=1)


@dataclass(frozen=True)
class Begun:
    id: str


async def test_a_lease_of_a_killed_process_is_given_back_and_no_other(
    redis: Redis, broker: MemoryBroker, bus: MemoryBus, clock: FakeClock
) -> None:
    coordinator, carried = Coordinator(), [Begun("carried")]
    await coordinator.serve(broker)
    first, second = LentBook(redis, clock), LentBook(redis, clock)
    held = BusLeases(bus, first, OrderKeys(SEED)).held("order", "a restart")

    async def begun() -> list[Begun]:
        return carried

    after = LentReturns(second, bus, OrderKeys(SEED), clock, begun)

    async def pass_by(seconds: float) -> None:
        """The record goes by Redis' clock."""
        for order, score in await redis.zrange(keys.LENT, 0, -1, withscores=True):
            await redis.zadd(keys.LENT, {order: score - 1000 * seconds})

    here = LentReturns(first, bus, OrderKeys(SEED), clock, begun)

    # Alive: it gives signs of life, and gives the lease back itself.
    async with held:
        await pass_by(SIGN_SECONDS + 1)
        # Redis was away for a while: this process knows what it holds.
        await here.turn()
        assert coordinator.log == ["acquired"]
        await clock.advance(SIGN_SECONDS)
        while not await redis.zcount(keys.LENT, "-inf", "+inf") or await second.quiet():
            await clock.advance(SIGN_SECONDS)
        await after.turn()
        assert coordinator.log == ["acquired"]
    assert coordinator.log == ["acquired", "released"]
    assert await redis.zcard(keys.LENT) == 0

    # Killed between what was written down and the release.
    dead = BusLeases(bus, first, OrderKeys(SEED)).held("dead", "a restart")
    await dead.__aenter__()
    await after.turn()
    assert coordinator.token is not None, "its process may still be there"
    await pass_by(SIGN_SECONDS + 1)
    carried.append(Begun("dead"))
    await after.turn()
    assert coordinator.token is not None, "whoever carries the restart on needs it"
    carried.clear()
    await after.turn()
    assert coordinator.token is None
    assert await redis.zcard(keys.LENT) == 0

    # What somebody else holds by now stays theirs.
    await redis.zadd(keys.LENT, {"long ago": 1})
    coordinator.token = "of Bob"
    await after.turn()
    assert coordinator.token == "of Bob"
    assert await redis.zcard(keys.LENT) == 0
    await dead.__aexit__(None, None, None)


async def test_nothing_is_held_that_cannot_be_written_down(
    broker: MemoryBroker, bus: MemoryBus, clock: FakeClock
) -> None:
    coordinator = Coordinator()
    await coordinator.serve(broker)

    class Away(LentBook):
        def __init__(self) -> None:
            """Have no record."""

        def noted(self, order: str):  # type: ignore[no-untyped-def]
            raise UnavailableError("Redis is away")

    with pytest.raises(InTheWayError, match="Redis is away"):
        async with BusLeases(bus, Away(), OrderKeys()).held("order", "a restart"):
            pass
    assert coordinator.log == []
