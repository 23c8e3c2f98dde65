"""The line: who is next, who is dropped, what passes on."""

import pytest

from spark_common.errors import ConflictError, LeaseHeldError

pytestmark = pytest.mark.connected
LONG = 80_000


async def names(lease):
    return [one.holder for one in (await lease.see()).queue]


async def keep_seen(lease, tokens, seconds):
    """Let time pass while everybody asks in time."""
    while seconds > 0:
        step = min(seconds, 30)
        await lease.later(step)
        for token in tokens:
            await lease.see(token)
        seconds -= step


async def test_one_place_has_a_position_a_latest_time_and_its_own_token(lease):
    await lease.take("Alice", ttl_seconds=600)
    bob = await lease.take("Bob", wait=True, ttl_seconds=300)
    carol = await lease.take("Carol", wait=True)
    assert (bob.state, bob.position, bob.eta_seconds) == ("waiting", 1, 600)
    assert (carol.position, carol.eta_seconds) == (2, 900)
    assert (bob.seen_within_seconds, bob.take_up_seconds) == (60, 60)
    view = await lease.see(carol.token)
    assert (view.yours, view.ticket) == ("place", carol.ticket)
    assert [(one.holder, one.position, one.eta_seconds) for one in view.queue] == [
        ("Bob", 1, 600),
        ("Carol", 2, 900),
    ]


async def test_a_human_goes_before_interactive_before_batch_then_by_arrival(lease):
    await lease.take()
    for holder, priority in (
        ("b1", "batch"),
        ("i1", "interactive"),
        ("h1", "human"),
        ("b2", "batch"),
        ("h2", "human"),
        ("i2", "interactive"),
    ):
        await lease.take(holder, wait=True, priority=priority)
    assert await names(lease) == ["h1", "h2", "i1", "i2", "b1", "b2"]


async def test_waiting_lifts_a_class_so_that_nobody_starves(lease):
    lease.policy = lease.policy.model_copy(update={"lease_ageing_minutes": 1})
    await lease.take(ttl_seconds=LONG)
    batch = await lease.take("old batch", wait=True, priority="batch", max_wait_seconds=LONG)
    await keep_seen(lease, [batch.token], 61)
    await lease.take("interactive", wait=True, priority="interactive", max_wait_seconds=LONG)
    await lease.take("human", wait=True, priority="human", max_wait_seconds=LONG)
    assert await names(lease) == ["human", "old batch", "interactive"]
    await keep_seen(lease, [batch.token], 30)
    await lease.told()
    await keep_seen(lease, [batch.token], 30)
    await lease.take("late human", wait=True, priority="human", max_wait_seconds=LONG)
    queue = (await lease.see()).queue
    assert queue[0].holder == "old batch"
    assert queue[-1].holder == "late human"


async def test_a_released_lease_is_granted_and_taken_up_with_the_token_of_the_place(lease):
    alice = await lease.take("Alice")
    bob = await lease.take("Bob", wait=True, reason="tests")
    await lease.later(30)
    await lease.see(bob.token)
    await lease.give(alice.token)
    assert not (await lease.gate.for_caller(bob.token)).admitted
    taken = await lease.take("Bob", token=bob.token, ttl_seconds=120)
    assert (taken.state, taken.token, taken.epoch) == ("held", bob.token, 2)
    assert (taken.extended, taken.ticket) == (False, bob.ticket)
    assert (await lease.gate.for_caller(bob.token)).epoch == 2
    events = await lease.told()
    words = [one.type.partition(".")[2] for one in events if one.type != "lock.queue"]
    assert words == ["acquired", "queued", "released", "freed", "granted", "acquired"]
    acquired = next(one for one in reversed(events) if one.type == "lock.acquired")
    assert (acquired.ticket, acquired.reason, acquired.waited_seconds) == (bob.ticket, "tests", 30)


async def test_a_free_lease_with_people_in_line_is_not_given_to_a_newcomer(lease):
    alice = await lease.take("Alice")
    bob = await lease.take("Bob", wait=True)
    await lease.give(alice.token)
    with pytest.raises(LeaseHeldError) as refused:
        await lease.take("Carol")
    assert refused.value.details["state"] == "granted"
    assert (await lease.take("Carol", wait=True)).position == 1
    assert (await lease.take("Bob", token=bob.token)).state == "held"


async def test_a_grant_not_taken_up_passes_on(lease):
    alice = await lease.take("Alice")
    await lease.take("Bob", wait=True)
    carol = await lease.take("Carol", wait=True)
    await lease.give(alice.token)
    await lease.told()
    await keep_seen(lease, [carol.token], 60)
    view = await lease.see(carol.token)
    assert (view.state, view.holder, view.yours, view.epoch) == ("granted", "Carol", "lease", 3)
    words = await lease.words()
    assert words == ["dropped", "freed", "granted"]


async def test_who_is_not_seen_is_dropped_and_who_asks_in_time_stays(lease):
    await lease.take("Alice", ttl_seconds=LONG)
    await lease.take("gone", wait=True)
    stays = await lease.take("stays", wait=True)
    await lease.told()
    await keep_seen(lease, [stays.token], 60)
    assert await names(lease) == ["stays"]
    dropped, queue = await lease.told()
    assert (dropped.why, dropped.holder) == ("disappeared", "gone")
    assert [one.holder for one in queue.queue] == ["stays"]


async def test_asking_again_with_the_token_keeps_the_same_place(lease):
    await lease.take("Alice", ttl_seconds=LONG)
    bob = await lease.take("Bob", wait=True)
    await lease.take("Carol", wait=True, priority="batch")
    await lease.later(50)
    again = await lease.take("Bob", wait=True, token=bob.token)
    assert (again.ticket, again.position, again.token) == (bob.ticket, 1, bob.token)
    await lease.later(50)
    assert await names(lease) == ["Bob"]


async def test_waiting_ends_when_it_was_meant_to(lease):
    await lease.take("Alice", ttl_seconds=LONG)
    bob = await lease.take("Bob", wait=True, max_wait_seconds=100)
    await lease.told()
    await keep_seen(lease, [bob.token], 100)
    assert await names(lease) == []
    assert (await lease.told())[0].why == "waited_out"


async def test_a_place_and_a_grant_are_given_back(lease):
    alice = await lease.take("Alice")
    bob = await lease.take("Bob", wait=True)
    carol = await lease.take("Carol", wait=True)
    assert (await lease.give(carol.token)).released == "place"
    await lease.give(alice.token)
    assert (await lease.give(bob.token)).released == "place"
    assert (await lease.see()).state == "free"
    whys = [one.why for one in await lease.told() if one.type == "lock.dropped"]
    assert whys == ["left", "left"]


async def test_a_grant_taken_by_a_person_goes_back_to_where_it_stood(lease):
    alice = await lease.take("Alice")
    bob = await lease.take("Bob", wait=True)
    await lease.take("Carol", wait=True)
    await lease.give(alice.token)
    owner = await lease.take("Owner", force=True)
    assert await names(lease) == ["Bob", "Carol"]
    await lease.give(owner.token)
    assert (await lease.take("Bob", token=bob.token)).state == "held"


async def test_pictures_of_the_line_do_not_pile_up_while_the_bus_is_away(lease):
    await lease.take()
    for number in range(20):
        await lease.take(f"w{number}", wait=True, reason='"word":"queue"')
    events = await lease.told()
    assert [one.type for one in events].count("lock.queued") == 20
    (picture,) = [one for one in events if one.type == "lock.queue"]
    assert len(picture.queue) == 20


async def test_the_line_is_bounded(lease):
    await lease.take()
    for number in range(100):
        await lease.take(f"w{number}", wait=True)
    with pytest.raises(ConflictError, match="full"):
        await lease.take("one too many", wait=True)
    assert len((await lease.see()).queue) == 100


async def test_nobody_loses_a_place_because_we_were_away(lease):
    alice = await lease.take("Alice", ttl_seconds=LONG)
    bob = await lease.take("Bob", wait=True, max_wait_seconds=LONG)
    await lease.later(10)
    await lease.time.pass_(1000)
    await lease.keeper.look()
    assert (await lease.see(bob.token)).yours == "place"
    await lease.give(alice.token)
    await lease.later(5)
    await lease.time.pass_(1000)
    await lease.keeper.look()
    assert (await lease.take("Bob", token=bob.token)).state == "held"
