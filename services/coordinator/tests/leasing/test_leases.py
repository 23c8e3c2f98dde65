"""The life of a lease, from taking it to the next holder."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from spark_common.contracts.leases import ReleaseLease, RequestYield
from spark_common.errors import ConflictError, LeaseHeldError
from spark_common.leasing import hash_of, keys

pytestmark = pytest.mark.connected


async def test_a_free_lease_is_held_by_whoever_asks(lease):
    grant = await lease.take("Alice", reason="tuning", ttl_seconds=600)
    assert (grant.state, grant.epoch, grant.remaining_seconds) == ("held", 1, 600)
    assert not grant.extended
    view = await lease.see()
    assert (view.state, view.holder, view.reason, view.epoch) == ("held", "Alice", "tuning", 1)
    assert view.yours is None
    assert (await lease.see(grant.token)).yours == "lease"
    (acquired,) = await lease.told()
    assert (acquired.type, acquired.epoch, acquired.ttl_seconds) == ("lock.acquired", 1, 600)


async def test_only_the_hash_of_the_token_is_kept(lease):
    grant = await lease.take()
    assert len(grant.token) >= 43
    kept = await lease.redis.hgetall(keys.LOCK)
    assert kept["token_sha256"] == hash_of(grant.token)
    assert grant.token not in str(kept)


async def test_others_hear_who_why_how_long_and_what_to_do(lease):
    await lease.take("nightly-batch", reason="embeddings", ttl_seconds=720)
    await lease.take("Bob", wait=True)
    for token in (None, "wrong"):
        with pytest.raises(LeaseHeldError) as refused:
            await lease.take("Carol", token=token)
        assert refused.value.details == {
            "holder": "nightly-batch",
            "reason": "embeddings",
            "remaining_seconds": 720.0,
            "waiting": 1,
            "state": "held",
        }
        assert "12 min" in refused.value.message
        assert "wait: true" in refused.value.message


async def test_the_token_extends_and_the_number_stays(lease):
    grant = await lease.take(ttl_seconds=100)
    await lease.later(50)
    again = await lease.take(token=grant.token, ttl_seconds=100)
    assert (again.extended, again.epoch, again.token) == (True, 1, grant.token)
    assert again.remaining_seconds == 100
    assert await lease.words() == ["acquired", "expiring", "extended"]


async def test_given_back_with_nothing_running_it_is_free_at_once(lease):
    grant = await lease.take()
    released = await lease.give(grant.token)
    assert (released.released, released.holder, released.epoch) == ("lease", "Alice", 1)
    assert (await lease.see()).state == "free"
    assert await lease.words() == ["acquired", "released", "freed"]
    assert (await lease.take("Bob")).epoch == 2


async def test_giving_back_twice_is_harmless(lease):
    grant = await lease.take()
    lease.work.answers = 1
    assert (await lease.give(grant.token)).released == "lease"
    assert (await lease.give(grant.token)).released == "lease"
    lease.work.answers = 0
    await lease.keeper.look()
    assert (await lease.give(grant.token)).released == "nothing"
    assert await lease.words() == ["acquired", "released", "freed"]


@pytest.mark.parametrize("token", [None, "", "wrong", "0" * 64])
async def test_no_other_token_gives_it_back(lease, token):
    await lease.take()
    with pytest.raises(LeaseHeldError) as refused:
        await lease.leases.release(_release(token))
    assert refused.value.details["holder"] == "Alice"
    assert (await lease.see()).state == "held"


def _release(token):
    return ReleaseLease.model_construct(
        token=None if token is None else SecretStr(token), force=False, requested_by="x"
    )


async def test_the_end_comes_by_comparison_and_is_told(lease):
    grant = await lease.take(ttl_seconds=100)
    await lease.time.pass_(100)
    assert not (await lease.gate.for_caller(grant.token)).admitted
    await lease.keeper.look()
    *_, expired, freed = await lease.told()
    assert (expired.type, expired.held_seconds) == ("lock.expired", 100)
    assert (freed.ended, freed.cut) == ("expired", False)


@pytest.mark.parametrize(("ttl", "early"), [(3600, 60), (61, 60), (60, 30), (10, 5)])
async def test_the_end_is_announced_once_each_time_it_is_extended(lease, ttl, early):
    grant = await lease.take(ttl_seconds=ttl)
    await lease.told()
    for _ in range(2):
        await lease.time.pass_(ttl - early - 0.5)
        await lease.keeper.look()
        assert await lease.words() == []
        await lease.later(1)
        (expiring,) = await lease.told()
        assert expiring.remaining_seconds == pytest.approx(early - 0.5)
        await lease.later(1)
        assert await lease.told() == []
        await lease.take(token=grant.token, ttl_seconds=ttl)
        assert await lease.words() == ["extended"]


async def test_nobody_is_let_in_while_a_swap_of_that_lease_runs(lease):
    grant = await lease.take(ttl_seconds=100)
    waiting = await lease.take("Bob", wait=True, max_wait_seconds=80_000)
    lease.work.swaps = {grant.epoch}
    for _ in range(2):
        await lease.later(50)
        await lease.see(waiting.token)
    assert (await lease.see()).state == "draining"
    assert (await lease.gate.for_epoch(grant.epoch)).admitted
    for token in (None, grant.token, waiting.token):
        assert not (await lease.gate.for_caller(token)).admitted
    for _ in range(4):
        await lease.later(55)
        await lease.see(waiting.token)
    assert (await lease.see()).state == "draining"
    lease.work.swaps = set()
    await lease.keeper.look()
    view = await lease.see(waiting.token)
    assert (view.state, view.holder, view.epoch) == ("granted", "Bob", 2)
    assert not (await lease.gate.for_epoch(grant.epoch)).admitted
    words = await lease.words()
    assert words == ["acquired", "queued", "expiring", "expired", "freed", "granted"]


async def test_answers_are_waited_for_only_as_long_as_the_policy_says(lease):
    lease.policy = lease.policy.model_copy(update={"lease_drain_seconds": 20})
    grant = await lease.take()
    lease.work.answers = 3
    await lease.give(grant.token)
    await lease.later(19)
    assert (await lease.see()).state == "draining"
    await lease.later(1)
    assert (await lease.see()).state == "free"
    freed = (await lease.told())[-1]
    assert (freed.ended, freed.drain_seconds, freed.cut) == ("released", 20, True)


async def test_a_drain_ends_though_nobody_can_say_whether_the_swap_does(lease):
    policy = lease.policy.model_copy(update={"lease_swap_drain_seconds": 300})
    lease.policy = policy
    grant = await lease.take()
    lease.work.swaps = {grant.epoch}
    await lease.give(grant.token)
    await lease.later(299)
    assert (await lease.see()).state == "draining"
    await lease.later(1)
    assert (await lease.see()).state == "free"
    assert (await lease.told())[-1].cut


async def test_a_person_ends_it_without_drain(lease):
    await lease.take()
    lease.work.answers = 1
    released = await lease.give(force=True, requested_by="Owner")
    assert (released.released, released.holder, released.epoch) == ("lease", "Alice", 1)
    _, forced, freed = await lease.told()
    assert (forced.type, forced.action, forced.requested_by) == ("lock.forced", "release", "Owner")
    assert (forced.holder, freed.ended) == ("Alice", "forced")
    assert (await lease.see()).state == "free"
    assert (await lease.give(force=True)).released == "nothing"


async def test_a_person_takes_it_over_everybodys_head(lease):
    old = await lease.take()
    await lease.take("Bob", wait=True)
    new = await lease.take("Owner", force=True)
    assert (new.state, new.epoch) == ("held", 2)
    assert not (await lease.gate.for_caller(old.token)).admitted
    assert (await lease.gate.for_caller(new.token)).epoch == 2
    view = await lease.see()
    assert (view.holder, [one.holder for one in view.queue]) == ("Owner", ["Bob"])
    assert await lease.words() == ["acquired", "queued", "forced", "freed", "acquired"]


async def test_taking_by_force_what_is_ones_own_only_extends(lease):
    grant = await lease.take()
    again = await lease.take(token=grant.token, force=True)
    assert (again.extended, again.epoch) == (True, 1)
    assert await lease.words() == ["acquired", "extended"]


async def test_a_token_that_is_not_that_of_the_lease_is_not_made_it_by_force(lease):
    await lease.take()
    new = await lease.take("Owner", token="of-an-old-lease", force=True)
    assert not new.extended
    assert not (await lease.gate.for_caller("of-an-old-lease")).admitted
    assert (await lease.gate.for_caller(new.token)).admitted


async def test_a_request_to_yield_reaches_the_holder_and_goes_with_the_lease(lease):
    with pytest.raises(ConflictError):
        await lease.leases.ask_to_yield(_yield())
    grant = await lease.take()
    await lease.leases.ask_to_yield(_yield(note="first"))
    view = await lease.leases.ask_to_yield(_yield(note="again"))
    assert [(one.requested_by, one.note) for one in view.yields] == [("Bob", "again")]
    assert view.yields[0].by is not None
    assert await lease.words() == ["acquired", "yield_requested", "yield_requested"]
    await lease.give(grant.token)
    await lease.take("Carol")
    assert (await lease.see()).yields == []


def _yield(note=""):
    return RequestYield(requested_by="Bob", by=datetime(2026, 1, 1, 14, tzinfo=UTC), note=note)
