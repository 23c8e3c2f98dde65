"""What is lost on the way: replies, Redis, its disk, its time. Nothing is given twice."""

import asyncio
import json

import pytest
from redis.exceptions import ConnectionError as LostConnection

from spark_common.contracts.leases import AcquireLease, RequestYield
from spark_common.errors import LeaseHeldError, UnavailableError
from spark_common.leasing import LeaseScripts, hash_of, keys
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock
from spark_common.testing.lease_time import LUA
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.draining import Draining
from spark_coordinator.leasing.leases import Leases

pytestmark = pytest.mark.connected
WORDS_OF_A_LIFE = [
    "acquired",
    "queued",
    "extended",
    "yield_requested",
    "released",
    "freed",
    "granted",
    "acquired",
    "forced",
    "freed",
]


class Lossy:
    """Carries everything out and loses every first reply."""

    def __init__(self, scripts: LeaseScripts) -> None:
        self._scripts = scripts

    def __getattr__(self, name):
        script = getattr(self._scripts, name)
        lost = set()

        async def ask(keys, args):
            answer = await script(keys=keys, args=args)
            if tuple(args) not in lost:
                lost.add(tuple(args))
                raise LostConnection("the reply is lost")
            return answer

        return ask


@pytest.fixture
def impatient(clock):
    """Return a clock whose waits are over at once."""

    class Impatient(FakeClock):
        async def sleep(self, seconds):
            await asyncio.sleep(0)

    return Impatient()


async def live(bench):
    """Take, wait, extend, ask, give back, take up, force; return what everybody got."""
    alice = await bench.take("Alice")
    bob = await bench.take("Bob", wait=True)
    again = await bench.take("Alice", token=alice.token, ttl_seconds=60)
    await bench.leases.ask_to_yield(_please())
    released = await bench.give(alice.token)
    taken = await bench.take("Bob", token=bob.token)
    forced = await bench.give(force=True)
    return [
        (alice.epoch, alice.extended),
        (bob.state, bob.position),
        (again.epoch, again.extended, again.token == alice.token),
        (released.released, released.holder),
        (taken.epoch, taken.extended, taken.token == bob.token),
        (forced.released, forced.holder, forced.epoch),
    ]


def _please():
    return RequestYield(requested_by="Bob")


async def test_every_reply_may_be_lost_once(lease, impatient, redis):
    usual = await live(lease)
    assert await lease.words() == WORDS_OF_A_LIFE
    await redis.delete(*keys.BOOK)

    async def floor():
        return 0

    lossy = Lossy(LeaseScripts(redis, LUA))
    book = LeaseBook(redis, lambda: lease.policy, impatient, floor, lossy)
    draining = Draining(book, lease.work)
    lease.leases = Leases(book, draining, lambda: lease.policy, impatient, lambda: None)
    lossy_life = await live(lease)
    assert lossy_life[:-1] == usual[:-1]
    # What the first try ended, the second finds ended.
    assert lossy_life[-1][0] in ("lease", "nothing")
    assert await lease.words() == WORDS_OF_A_LIFE


async def test_the_same_question_again_changes_nothing(lease):
    asked = {
        "fresh_sha256": hash_of("fresh"),
        "request": "r1",
        "ticket": "t1",
        "holder": "Alice",
        "reason": "",
        "ttl_ms": 60_000,
        "wait": True,
        "priority": "batch",
        "max_wait_ms": 60_000,
        "force": False,
        "requested_by": "Alice",
    }
    first = await lease.book.acquire(asked)
    await lease.time.pass_(7)
    assert (await lease.book.acquire(asked)).outcome == first.outcome == "acquired"
    assert (await lease.see()).remaining_seconds == 53
    other = {**asked, "fresh_sha256": hash_of("other"), "request": "r2", "ticket": "t2"}
    assert [(await lease.book.acquire(other)).ticket for _ in range(3)] == ["t2"] * 3
    assert len((await lease.see()).queue) == 1
    assert await lease.words() == ["acquired", "queued"]


async def test_an_order_whose_answer_was_lost_is_repeated_with_its_key(lease):
    order = {"key": "random-of-this-order", "ttl_seconds": 600}
    lost = await lease.take("Alice", **order)
    again = await lease.take("Alice", **order)
    assert (again.state, again.epoch, again.token) == ("held", lost.epoch, lost.token)
    for holder, key in (("Bob", order["key"]), ("Alice", "random-of-that-order")):
        with pytest.raises(LeaseHeldError):
            await lease.take(holder, key=key)
    forced = await lease.take("Bob", force=True, **order)
    assert (await lease.take("Bob", force=True, **order)).epoch == forced.epoch
    assert forced.token != lost.token
    assert await lease.words() == [
        "acquired",
        "extended",
        "forced",
        "freed",
        "acquired",
        "extended",
    ]


async def test_a_place_whose_answer_was_lost_is_found_by_the_key_also_when_it_is_served(lease):
    alice = await lease.take("Alice")
    order = {"key": "random-of-this-order", "wait": True}
    lost, again = [await lease.take("Bob", **order) for _ in range(2)]
    assert (again.state, again.ticket, again.token) == ("waiting", lost.ticket, lost.token)
    await lease.give(alice.token)
    taken = [await lease.take("Bob", **order) for _ in range(2)]
    assert [one.epoch for one in taken] == [alice.epoch + 1] * 2
    assert (await lease.see(lost.token)).yours == "lease"
    assert (await lease.see()).queue == []


async def test_redis_away_refuses_and_gives_nothing(make_lease, clock, redis_server, impatient):
    redis = connect_redis(redis_server.settings, "coordinator")
    lease = await make_lease(redis, clock)
    grant = await lease.take()
    await redis_server.kill()

    async def floor():
        return 0

    book = LeaseBook(lease.redis, lambda: lease.policy, impatient, floor)
    leases = Leases(book, Draining(book, lease.work), lambda: lease.policy, impatient, print)
    for question in (
        leases.acquire(AcquireLease(holder="Bob", force=True)),
        lease.gate.for_caller(grant.token),
        lease.gate.for_epoch(grant.epoch),
    ):
        with pytest.raises(UnavailableError, match="cannot verify the reservation: Redis is away"):
            await question
    await redis_server.start()
    view = await lease.see(grant.token)
    assert (view.yours, view.epoch) == ("lease", grant.epoch)
    assert (await lease.gate.for_caller(grant.token)).admitted
    await redis.aclose()


async def test_a_redis_that_lost_its_disk_numbers_above_what_was_told(lease, redis):
    await lease.take()
    await redis.delete(*keys.BOOK)
    lease.floor = 41
    # The swapper was quicker, with what the Sparks have seen: less than what was told.
    await redis.set(keys.FENCE, 7)
    assert (await lease.take("Bob")).epoch == 42
    assert await redis.get(keys.FENCE) == "42"


@pytest.mark.parametrize("counted", ["3", None, "no number"])
async def test_a_redis_put_back_to_an_old_copy_uses_no_number_again(lease, redis, counted):
    for _ in range(5):
        await lease.give((await lease.take()).token)
    if counted is None:
        await redis.delete(keys.FENCE)
    else:
        await redis.set(keys.FENCE, counted)
    assert (await lease.take("Bob")).epoch == 6


async def test_a_coordinator_begins_above_what_was_told_before_it(lease, redis, impatient):
    await lease.give((await lease.take()).token)

    async def floor():
        return 41

    book = LeaseBook(redis, lambda: lease.policy, impatient, floor, LeaseScripts(redis, LUA))
    leases = Leases(book, Draining(book, lease.work), lambda: lease.policy, impatient, print)
    assert (await leases.acquire(AcquireLease(holder="Bob"))).epoch == 42
    assert (await lease.see()).epoch == 42


async def test_nothing_is_given_while_nobody_remembers_the_number(lease, redis, impatient):
    async def floor():
        raise UnavailableError("the event bus does not answer")

    book = LeaseBook(redis, lambda: lease.policy, impatient, floor, LeaseScripts(redis, LUA))
    leases = Leases(book, Draining(book, lease.work), lambda: lease.policy, impatient, print)
    with pytest.raises(UnavailableError):
        await leases.acquire(AcquireLease(holder="Bob"))
    assert await redis.exists(keys.LOCK) == 0


async def test_a_number_that_the_sparks_lifted_lifts_the_lease_with_it(lease, redis):
    grant = await lease.take()
    await redis.set(keys.FENCE, 90)
    again = await lease.take(token=grant.token)
    assert (again.extended, again.epoch) == (True, 91)
    assert (await lease.gate.for_caller(grant.token)).epoch == 91


async def test_a_counter_that_fell_behind_the_lease_is_lifted(lease, redis):
    await redis.set(keys.FENCE, 90)
    grant = await lease.take()
    await redis.set(keys.FENCE, 3)
    await lease.give(grant.token)
    assert (await lease.take()).epoch == 92


async def test_a_damaged_lease_holds_everybody_off_until_a_person_ends_it(lease, redis):
    await lease.take()
    await redis.hdel(keys.LOCK, "token_sha256")
    await lease.time.pass_(7200)
    await lease.keeper.look()
    with pytest.raises(LeaseHeldError, match="nobody can prove"):
        await lease.take("Bob")
    assert (await lease.take("Bob", wait=True)).eta_seconds is None
    assert (await lease.see()).state == "held"
    assert (await lease.give(force=True)).released == "lease"
    assert (await lease.see()).state == "granted"


@pytest.mark.parametrize(
    "junk", ["{", "7", "{}", '{"ticket":"x","priority":"urgent"}', '{"priority":"batch","n":"1"}']
)
async def test_a_place_that_cannot_be_read_stops_nobody(lease, redis, junk):
    alice = await lease.take("Alice")
    bob = await lease.take("Bob", wait=True)
    await redis.hset(keys.LINE, "junk", junk)
    assert [one.holder for one in (await lease.see()).queue] == ["Bob"]
    await lease.give(alice.token)
    assert (await lease.take("Bob", token=bob.token)).state == "held"


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "odd"},
        {"state": "granted"},
        {"state": "granted", "place": "{"},
        {"fence": "x"},
        {"expires_ms": ""},
    ],
)
async def test_a_lease_that_makes_no_sense_is_ended_by_a_person(lease, redis, fields):
    await lease.take()
    await redis.hset(keys.LOCK, mapping=fields)
    for token in (None, "wrong"):
        assert not (await lease.gate.for_caller(token)).admitted
    with pytest.raises(LeaseHeldError):
        await lease.take("Bob")
    assert (await lease.give(force=True)).released == "lease"
    assert (await lease.take("Bob")).epoch >= 2


async def test_a_script_that_fails_is_no_redis_that_is_away(lease, redis):
    await redis.set(keys.LINE, "no hash")
    with pytest.raises(UnavailableError, match="the coordinator's log says why"):
        await lease.take()
    await lease.keeper.look()
    assert "cannot be read" in await lease.keeper.check.ask()
    await redis.delete(keys.LINE)
    await lease.keeper.look()
    assert await lease.keeper.check.ask() is None


async def test_a_clock_set_back_gives_nobody_more_than_was_left(lease):
    alice = await lease.take("Alice", ttl_seconds=600)
    bob = await lease.take("Bob", wait=True, max_wait_seconds=1000)
    await lease.later(10)
    await lease.time.pass_(-3600)
    await lease.keeper.look()
    view = await lease.see(bob.token)
    assert view.remaining_seconds == pytest.approx(590, abs=3)
    assert view.queue[0].eta_seconds == pytest.approx(590, abs=3)
    await lease.later(50)
    await lease.see(bob.token)
    await lease.give(alice.token)
    assert (await lease.take("Bob", token=bob.token)).state == "held"


async def test_a_clock_set_forward_ends_the_lease_and_the_number_keeps_it_safe(lease):
    alice = await lease.take("Alice", ttl_seconds=600)
    bob = await lease.take("Bob", wait=True, max_wait_seconds=80_000)
    await lease.later(10)
    await lease.time.pass_(3600)
    await lease.keeper.look()
    assert not (await lease.gate.for_caller(alice.token)).admitted
    taken = await lease.take("Bob", token=bob.token)
    assert taken.epoch == alice.epoch + 1
    assert not (await lease.gate.for_epoch(alice.epoch)).admitted


async def test_two_coordinators_tell_every_end_once(lease, redis):
    await lease.take(ttl_seconds=10)
    await lease.told()
    await lease.time.pass_(10)
    await asyncio.gather(*(lease.keeper.look() for _ in range(8)))
    assert await lease.words() == ["expired", "freed"]


async def test_no_token_is_anywhere_in_redis_in_clear(lease, redis):
    secret = "random-of-this-order"
    alice = await lease.take("Alice", key=secret)
    bob = await lease.take("Bob", wait=True)
    await lease.see(bob.token)
    everything = []
    for key in keys.BOOK:
        kind = await redis.type(key)
        if kind == "hash":
            everything.append(await redis.hgetall(key))
        elif kind == "list":
            everything.append(await redis.lrange(key, 0, -1))
    text = json.dumps(everything)
    assert "Alice" in text
    assert secret not in text
    assert alice.token not in text
    assert bob.token not in text
