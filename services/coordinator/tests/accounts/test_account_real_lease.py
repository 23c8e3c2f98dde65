"""The real lease on a real Redis: what its events say is what the accounts count."""

import json
from collections import defaultdict

import pytest

from spark_common.contracts.leases import AcquireLease, GetLease, ReleaseLease
from spark_common.leasing import LeaseScripts, keys
from spark_common.settings.policies import LeasePolicy
from spark_common.testing.lease_time import LUA, LeaseTime
from spark_coordinator.accounts.days import day_of
from spark_coordinator.accounts.following import STREAMS
from spark_coordinator.accounts.ledger import Tally
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.drain import Remaining
from spark_coordinator.leasing.draining import Draining
from spark_coordinator.leasing.keeper import LeaseKeeper
from spark_coordinator.leasing.leases import Leases
from spark_coordinator.leasing.telling import event_of

pytestmark = pytest.mark.connected


class NoWork:
    """Nothing is answered and nothing is swapped."""

    async def remaining(self, epoch: int) -> Remaining:
        return Remaining(swap=False, answers=False)


class Stand:
    """The lease whose time the test moves, and a bus that hears of it."""

    def __init__(self, redis, bus, clock) -> None:
        self.redis, self.bus, self.clock = redis, bus, clock
        self.time = LeaseTime(redis)
        scripts = LeaseScripts(redis, LUA)
        policy = LeasePolicy()

        async def floor() -> int:
            return 0

        book = LeaseBook(redis, lambda: policy, clock, floor, scripts)
        draining = Draining(book, NoWork())
        self.leases = Leases(book, draining, lambda: policy, clock, lambda: None)
        self.keeper = LeaseKeeper(book, draining, clock, lambda: None)

    async def take(self, holder, **fields):
        return await self.leases.acquire(AcquireLease(holder=holder, **fields))

    async def later(self, minutes, *tokens):
        """Let minutes pass; whoever waits with a token is seen all the time."""
        for _ in range(round(minutes * 12)):
            await self.time.pass_(5)
            for token in tokens:
                await self.leases.get(GetLease(token=token))
            await self.keeper.look()

    async def tell(self):
        """Tell everything that was written, in order."""
        for row in await self.redis.lrange(keys.OUTBOX, 0, -1):
            out = event_of(json.loads(row))
            await self.bus.publish_durable(out.subject, out.message, id=out.id)
        await self.redis.delete(keys.OUTBOX)


@pytest.fixture
async def stand(redis, bus, clock):
    made = Stand(redis, bus, clock)
    await made.time.start()
    return made


@pytest.fixture
def counted(stand, follower, keeper):
    """Return leases, minutes held and minutes imposed of every holder, from what was told."""

    async def count():
        await stand.tell()
        for stream in STREAMS:
            await follower.catch_up(stream)
        began = await keeper._run(lambda book: book.began)
        later = began + 86400
        tallies = await keeper._run(lambda book: book.tallies(day_of(began), later))
        sums = defaultdict(Tally)
        for (_, holder), tally in tallies.items():
            sums[holder].add(tally)
        return {who: (t.leases, t.held / 60, t.imposed / 60) for who, t in sums.items()}

    return count


def about(leases, held, imposed):
    return (leases, pytest.approx(held, abs=0.2), pytest.approx(imposed, abs=0.4))


async def test_holding_waiting_extending_and_running_out(stand, counted):
    alice = await stand.take("Alice", ttl_seconds=500)
    await stand.later(3)
    bob = await stand.take("Bob", wait=True, ttl_seconds=180)
    carol = await stand.take("Carol", wait=True, ttl_seconds=180)
    await stand.later(3, bob.token, carol.token)
    await stand.take("Alice", token=alice.token, ttl_seconds=500)
    await stand.later(2, bob.token, carol.token)
    await stand.leases.release(ReleaseLease(token=carol.token))
    await stand.later(2, bob.token)
    await stand.leases.release(ReleaseLease(token=alice.token))
    await stand.keeper.look()
    await stand.take("Bob", token=bob.token, ttl_seconds=180)
    await stand.later(5)
    # Bob waits 7 minutes and Carol 5 of the 10 that Alice holds; Bob's own run out after 3.
    assert await counted() == {"Alice": about(1, 10, 12), "Bob": about(1, 3, 0)}


async def test_a_lease_that_is_taken_away_by_force_ends_there(stand, counted):
    await stand.take("a script", ttl_seconds=3600)
    await stand.later(5)
    await stand.take("Alice", ttl_seconds=600, force=True, requested_by="Alice")
    await stand.later(4)
    await stand.leases.release(ReleaseLease(force=True, requested_by="Bob"))
    await stand.later(3)
    assert await counted() == {"a script": about(1, 5, 0), "Alice": about(1, 4, 0)}


async def test_a_grant_that_nobody_takes_up_is_no_lease_and_who_is_gone_waits_no_more(
    stand, counted
):
    alice = await stand.take("Alice", ttl_seconds=3600)
    bob = await stand.take("Bob", wait=True)
    await stand.later(2, bob.token)
    await stand.leases.release(ReleaseLease(token=alice.token))
    await stand.later(3)
    dave = await stand.take("Dave", ttl_seconds=3600)
    await stand.take("Erin", wait=True)
    # Erin is never seen again and loses the place after a minute.
    await stand.later(3)
    await stand.leases.release(ReleaseLease(token=dave.token))
    assert await counted() == {"Alice": about(1, 2, 2), "Dave": about(1, 3, 1)}
