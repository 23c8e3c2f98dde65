"""The one read that decides: by Redis' clock, for callers and for swaps that were admitted."""

import hashlib

import pytest
import pytest_asyncio

from spark_common.errors import UnavailableError
from spark_common.leasing import LeaseGate, LeaseScripts, held_error, keys
from spark_common.leasing.gate import Gate
from spark_common.redis_access import connect_redis
from spark_common.testing.fixtures import redis_server
from spark_common.testing.lease_time import LUA, LeaseTime

__all__ = ["redis_server"]
connected = pytest.mark.connected


@pytest_asyncio.fixture
async def redis(redis_server):
    client = connect_redis(redis_server.settings, "gate")
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def time(redis):
    clock = LeaseTime(redis)
    await clock.start()
    return clock


@pytest_asyncio.fixture
async def gate(redis, time):
    return LeaseGate(redis, LeaseScripts(redis, LUA))


async def hold(redis, token="secret", fence=4, seconds=60, **more):
    now = int(await redis.get("sc:test:now_ms"))
    fields = {
        "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
        "holder": "nightly-batch",
        "reason": "embeddings",
        "fence": fence,
        "expires_ms": now + seconds * 1000,
        "drain_ms": 30_000,
        **more,
    }
    await redis.hset(keys.LOCK, mapping=fields)
    await redis.set(keys.FENCE, fence)


@connected
async def test_nobody_holds_it_everybody_may(gate):
    answer = await gate.for_caller(None)
    assert (answer.admitted, answer.epoch, answer.state) == (True, 0, "free")
    assert (await gate.for_epoch(0)).admitted


@connected
async def test_the_holder_may_under_its_epoch_and_others_hear_who(gate, redis):
    await hold(redis)
    holder = await gate.for_caller("secret")
    assert (holder.admitted, holder.epoch) == (True, 4)
    for token in (None, "", "wrong", hashlib.sha256(b"secret").hexdigest()):
        other = await gate.for_caller(token)
        assert (other.admitted, other.holder, other.reason) == (
            False,
            "nightly-batch",
            "embeddings",
        )
        assert other.remaining_seconds == 60


@connected
async def test_a_swap_runs_on_only_under_the_lease_it_was_admitted_with(gate, redis):
    await hold(redis)
    assert (await gate.for_epoch(4)).admitted
    assert not (await gate.for_epoch(3)).admitted
    await redis.delete(keys.LOCK)
    assert (await gate.for_epoch(3)).admitted
    assert (await gate.for_caller(None)).epoch == 4


@connected
@pytest.mark.parametrize("lost", ["token_sha256", "expires_ms", "fence"])
async def test_a_damaged_lease_lets_nobody_pass(gate, redis, time, lost):
    await hold(redis)
    await redis.hdel(keys.LOCK, lost)
    for seconds in (0, 3600):
        await time.pass_(seconds)
        for token in (None, "", "secret"):
            answer = await gate.for_caller(token)
            assert (answer.admitted, answer.state) == (False, "damaged")
        assert not (await gate.for_epoch(4)).admitted


@connected
@pytest.mark.parametrize(
    "fields", [{"fence": "x"}, {"state": "odd"}, {"expires_ms": "soon"}, {"fence": ""}]
)
async def test_a_lease_that_makes_no_sense_lets_nobody_pass(gate, redis, fields):
    await hold(redis, **fields)
    await redis.set(keys.FENCE, 4)
    assert (await gate.for_caller("secret")).state == "damaged"
    assert not (await gate.for_epoch(4)).admitted


@connected
async def test_a_number_that_is_none_lets_nobody_pass(gate, redis):
    await redis.set(keys.FENCE, "x")
    assert not (await gate.for_caller(None)).admitted


@connected
async def test_what_is_over_by_the_clock_is_over_though_nobody_told_so(gate, redis, time):
    await hold(redis)
    await time.pass_(60)
    for token in (None, "secret"):
        assert (await gate.for_caller(token)).state == "draining"
    assert (await gate.for_epoch(4)).admitted
    assert not (await gate.for_epoch(3)).admitted
    await time.pass_(30)
    assert (await gate.for_caller(None)).admitted


@connected
async def test_what_is_over_goes_to_the_line_and_not_to_whoever_comes_first(gate, redis, time):
    await hold(redis)
    await redis.hset(keys.LINE, "ticket", "{}")
    await time.pass_(90)
    answer = await gate.for_caller(None)
    assert (answer.admitted, answer.state, answer.waiting) == (False, "promised", 1)
    assert not (await gate.for_epoch(4)).admitted


@connected
async def test_a_grant_admits_only_once_it_is_taken_up(gate, redis):
    await hold(redis, state="granted")
    answer = await gate.for_caller("secret")
    assert (answer.admitted, answer.mine) == (False, True)
    assert "given to you: take it up" in held_error(answer, "Wait.").message
    assert not (await gate.for_caller("wrong")).mine
    assert not (await gate.for_epoch(3)).admitted


@connected
async def test_redis_away_refuses_everybody(gate, redis_server):
    await redis_server.kill()
    for question in (gate.for_caller("secret"), gate.for_epoch(1), gate.tell_through("s", "Bob")):
        with pytest.raises(UnavailableError, match="cannot verify the reservation"):
            await question


@connected
async def test_swapping_through_somebodys_lease_is_told_once_a_swap(gate, redis, time):
    await gate.tell_through("early", "Owner")
    await hold(redis, since_ms=int(await redis.get("sc:test:now_ms")))
    await time.pass_(5)
    for swap in ("one", "one", "two"):
        await gate.tell_through(swap, "Owner")
    rows = await redis.lrange(keys.OUTBOX, 0, -1)
    assert len(rows) == 2
    assert '"action":"swap"' in rows[0]
    assert '"held_seconds":5' in rows[0]
    assert '"holder":"nightly-batch"' in rows[0]
    await time.pass_(60)
    await gate.tell_through("late", "Owner")
    assert await redis.llen(keys.OUTBOX) == 2


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("held", "'Alice' holds the cluster for another 2 min (tuning); 1 waits in line. Wait."),
        ("granted", "just given to 'Alice' (tuning), who was next in line"),
        ("draining", "the reservation of 'Alice' is over"),
        ("promised", "goes to the next in line"),
        ("damaged", "nobody can prove that it is theirs"),
    ],
)
def test_a_refusal_says_who_why_how_long_and_what_to_do(state, said):
    gate = Gate(False, 3, "Alice", 120.0, "tuning", 1, state)
    error = held_error(gate, "Wait.")
    assert said in error.message
    assert error.message.endswith("Wait.")
    assert error.details["remaining_seconds"] == 120.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "'Alice' holds the cluster; 2 wait in line."),
        (0.2, "'Alice' holds the cluster for another 1 s; 2 wait in line."),
        (89.4, "'Alice' holds the cluster for another 89 s; 2 wait in line."),
        (90.0, "'Alice' holds the cluster for another 2 min; 2 wait in line."),
        (7140.0, "'Alice' holds the cluster for another 119 min; 2 wait in line."),
        (7200.0, "'Alice' holds the cluster for another 2 h 0 min; 2 wait in line."),
        (14_340.0, "'Alice' holds the cluster for another 3 h 59 min; 2 wait in line."),
    ],
)
def test_a_refusal_says_how_long_in_words_of_its_size(seconds, said):
    gate = Gate(False, 3, "Alice", seconds, "", 2, "held")
    assert held_error(gate, "Wait.").message == f"{said} Wait."


def test_a_refusal_without_a_line_or_a_name_says_no_more_than_it_knows():
    assert held_error(Gate(False, 3, state="held"), "Wait.").message == (
        "somebody holds the cluster. Wait."
    )
    draining = held_error(Gate(False, 3, "Alice", 30.0, "", 0, "draining"), "Wait.").message
    assert "what runs of its time may finish for another 30 s. Wait." in draining
    assert "take it up" not in held_error(Gate(False, 3, "Alice", state="granted"), "").message
