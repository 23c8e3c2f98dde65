"""What happens reaches every target that wants it: once written, in order, whoever dies."""

import asyncio
from datetime import timedelta

import pytest

from spark_common.contracts import webhooks as contract
from spark_common.contracts.webhooks import (
    LIST_DELIVERIES,
    LIST_TARGETS,
    SEND_AGAIN,
    TEST_TARGET,
    ListDeliveries,
    ListTargets,
    SendAgain,
)
from spark_common.errors import ConflictError, NotFoundError
from spark_coordinator.webhooks.body import delivery_id
from spark_coordinator.webhooks.testing import BAD, GONE, GOOD

pytestmark = pytest.mark.connected


def swaps(*numbers):
    return [f"swap-{number}" for number in numbers]


async def view(bench, id="bob"):
    targets = (await bench.ask(LIST_TARGETS, ListTargets())).targets
    return next(one for one in targets if one.id == id)


async def log(bench, **asked):
    return (await bench.ask(LIST_DELIVERIES, ListDeliveries(**asked))).deliveries


async def test_an_outcome_reaches_every_target_under_constant_ids(bench):
    await bench.put("alice")
    await bench.put("bob")
    for number in range(3):
        await bench.tell(number)
    got = bench.receivers.events
    await bench.until(lambda: len(got("alice")) + len(got("bob")) == 6, "both got three")
    assert got("alice") == got("bob") == swaps(0, 1, 2)
    ids = [parcel.id for parcel in bench.receivers.got["bob"]]
    assert ids == [delivery_id(f"swap-{number}", "bob") for number in range(3)]
    (newest, *_) = await log(bench, target="bob")
    assert (newest.id, newest.state, newest.status, newest.tries) == (ids[-1], "delivered", 204, 1)


@pytest.mark.parametrize(
    ("topics", "events"),
    [
        (["swap"], ["swap-1"]),
        (["lock", "health"], ["lock-1", "health-1"]),
        (["service"], ["service-1"]),
        ([], []),
    ],
)
async def test_a_target_gets_the_topics_it_chose_and_no_dry_run(bench, topics, events):
    await bench.put("bob", topics=topics)
    for kind in ("dry", "swap", "lock", "health", "service"):
        await bench.tell(1, kind)
    await bench.taken()
    await bench.until(lambda: len(bench.receivers.got["bob"]) >= len(events), "delivered")
    assert sorted(bench.receivers.events("bob")) == sorted(events)


async def test_a_new_target_or_topic_gets_no_history(bench):
    await bench.kill()
    await bench.tell(1)
    await bench.tell(1, "lock")
    await bench.put("bob", topics=["swap"])
    await bench.tell(2)
    await bench.tell(2, "lock")
    await bench.put("bob", topics=["swap", "lock"])
    await bench.tell(3, "lock")
    await bench.start()
    await bench.taken()
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 2, "delivered")
    assert sorted(bench.receivers.events("bob")) == ["lock-3", "swap-2"]


async def test_what_happened_while_a_target_was_off_is_not_sent_later(bench):
    await bench.put("bob", enabled=False)
    await bench.tell(1)
    await bench.taken()
    await bench.put("bob")
    await bench.tell(2)
    await bench.until(lambda: bool(bench.receivers.got["bob"]), "delivered")
    assert bench.receivers.events("bob") == swaps(2)


async def test_a_failing_target_is_tried_again_with_growing_waits_and_keeps_its_order(bench):
    failures = iter([BAD] * 2)
    bench.receivers.answers["bob"] = lambda _: next(failures, GOOD)
    await bench.put("bob")
    for number in range(3):
        await bench.tell(number)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 1, "the first try")
    first = (await view(bench), bench.clock.now())
    assert (first[0].pending, first[0].last_status) == (3, 500)
    assert first[0].last_error == "the receiver answered 500"
    assert timedelta() < first[0].next_try_at - first[1] <= timedelta(seconds=5)
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 3, "all are there", step=1)
    assert bench.receivers.events("bob") == swaps(0, 1, 2)
    assert len({parcel.id for parcel in bench.receivers.tried["bob"][:3]}) == 1
    assert bench.clock.now() - first[1] >= timedelta(seconds=5 + 10 - 1)
    rows = await log(bench, state="delivered")
    assert [row.tries for row in rows] == [1, 1, 3]
    assert (await view(bench)).last_error is None


async def test_a_clock_that_was_set_back_makes_nobody_wait(bench):
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 2, "tried twice", step=1)
    bench.clock._start -= timedelta(days=2)
    bench.receivers.answers.clear()
    before = bench.clock.now()
    await bench.until(lambda: bool(bench.receivers.got["bob"]), "delivered")
    assert bench.clock.now() - before < timedelta(seconds=5)
    await bench.tell(2)
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1, 2), "in order")

    async def both():
        return [row.event_id for row in await log(bench, state="delivered")] == swaps(2, 1)

    await bench.until(both, "the log is in order as well")


async def test_no_target_waits_for_another(bench):
    bench.receivers.hanging.add("alice")
    bench.receivers.answers["carol"] = lambda _: BAD
    for name in ("alice", "bob", "carol"):
        await bench.put(name)
    for number in range(20):
        await bench.tell(number)
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 20, "bob has all")
    assert len(bench.receivers.tried["alice"]) == 1
    assert bench.receivers.events("bob") == swaps(*range(20))


async def test_after_three_days_a_dead_letter_is_shown_and_the_next_one_goes(bench):
    dead = delivery_id("swap-1", "bob")
    bench.receivers.answers["bob"] = lambda parcel: BAD if parcel.id == dead else GOOD
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.tried["bob"]), "tried")
    began = bench.clock.now()
    await bench.sleep(timedelta(hours=71, minutes=59))
    await bench.tell(2)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 2, "not yet")

    async def given_up():
        return (await view(bench)).dead == 1

    await bench.until(given_up, "given up", step=1)
    assert timedelta(hours=72) <= bench.clock.now() - began < timedelta(hours=72, minutes=1)
    await bench.until(lambda: bench.receivers.events("bob") == swaps(2), "the next one goes")
    (row,) = await log(bench, state="dead")
    assert (row.id, row.status, row.next_try_at) == (dead, 500, None)
    assert row.tries >= 3

    bench.receivers.answers.clear()
    again = await bench.ask(SEND_AGAIN, SendAgain(id=dead))
    assert again.state == "pending"
    await bench.until(lambda: bench.receivers.events("bob") == swaps(2, 1), "sent again")
    assert bench.receivers.got["bob"][1].id == dead
    standing = await view(bench)
    assert (standing.dead, standing.pending) == (0, 0)
    with pytest.raises(ConflictError, match="only one that was given up"):
        await bench.ask(SEND_AGAIN, SendAgain(id=dead))
    with pytest.raises(NotFoundError):
        await bench.ask(SEND_AGAIN, SendAgain(id="dlv_unknown"))


async def test_410_switches_a_target_off_with_the_reason_and_keeps_what_is_owed(bench):
    bench.receivers.answers["bob"] = lambda _: GONE
    await bench.put("bob")
    await bench.tell(1)

    async def off():
        return not (await view(bench)).enabled

    await bench.until(off, "it is off")
    assert "410" in (await view(bench)).disabled_because
    await bench.tell(2)
    await bench.taken()
    await bench.clock.advance(30)
    assert len(bench.receivers.tried["bob"]) == 1

    bench.receivers.answers.clear()
    assert (await bench.put("bob")).enabled
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1), "what was owed")
    await bench.tell(3)
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1, 3), "and what comes")


async def test_a_changed_address_is_tried_at_once(bench):
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 3, "it waits by now", step=1)
    before = bench.clock.now()
    bench.receivers.answers.clear()
    await bench.put("bob", url="http://127.0.0.1:5678/other")
    await bench.until(lambda: bool(bench.receivers.got["bob"]), "delivered")
    assert bench.clock.now() - before < timedelta(seconds=5)


async def test_the_test_button_goes_past_what_is_owed(bench):
    stuck = delivery_id("swap-1", "bob")
    bench.receivers.answers["bob"] = lambda parcel: BAD if parcel.id == stuck else GOOD
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.tried["bob"]), "it is stuck")
    answer = await bench.ask(TEST_TARGET, contract.TestTarget(id="bob"))
    assert (answer.state, answer.test, answer.type) == ("delivered", True, "webhook.test")
    bench.receivers.answers["bob"] = lambda _: BAD
    failed = await bench.ask(TEST_TARGET, contract.TestTarget(id="bob"))
    assert (failed.state, failed.error) == ("dead", "the receiver answered 500")
    assert [row.id for row in await log(bench, state="dead")] == [failed.id]
    with pytest.raises(ConflictError, match="test button"):
        await bench.ask(SEND_AGAIN, SendAgain(id=failed.id))
    with pytest.raises(NotFoundError):
        await bench.ask(TEST_TARGET, contract.TestTarget(id="nobody"))


async def test_killed_between_the_answer_and_the_note_it_is_sent_again_under_its_id(bench):
    store_is_slow = asyncio.Event()
    await bench.put("bob")
    settle = bench.receivers.send

    async def taken_but_never_noted(target, parcel):
        answer = await settle(target, parcel)
        store_is_slow.set()
        await asyncio.Event().wait()
        return answer

    bench.receivers.send = taken_but_never_noted
    await bench.tell(1)
    await bench.until(store_is_slow.is_set, "the receiver has it")
    await bench.kill()
    bench.receivers.send = settle
    await bench.start()
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 2, "sent again")
    first, second = bench.receivers.got["bob"]
    assert first == second
    (row,) = await log(bench)
    assert (row.state, row.tries) == ("delivered", 1)


async def test_state_survives_a_restart(bench):
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.put("bob")
    for number in range(3):
        await bench.tell(number)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 2, "tried twice", step=1)

    async def noted():
        return (await log(bench))[-1].tries == 2

    await bench.until(noted, "noted", step=0)
    before = [row.model_dump() for row in await log(bench)]
    await bench.kill()
    await bench.start()
    assert [row.model_dump() for row in await log(bench)] == before
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 3, "and goes on", step=1)
    assert {parcel.id for parcel in bench.receivers.tried["bob"]} == {before[-1]["id"]}


async def test_events_told_again_from_the_beginning_are_owed_once(bench):
    """A power cut may set the consumer back to its first message."""
    await bench.put("bob")
    for number in range(5):
        await bench.tell(number)
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 5, "delivered")
    consumer = bench.broker.streams["SC_SWAP_EVT"].consumer("webhook")
    await bench.until(lambda: not consumer.pending, "acknowledged")
    consumer.next_seq = 1
    bench.broker.touch()
    await bench.taken()
    await bench.tell(5)
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 6, "the new one")
    assert bench.receivers.events("bob") == swaps(0, 1, 2, 3, 4, 5)


async def test_a_stream_that_was_made_anew_is_told_from_its_beginning(bench):
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.got["bob"]), "delivered")
    old = bench.broker.streams["SC_SWAP_EVT"]
    fresh = type(old)(old.spec, bench.clock, "2", bench.broker.store)
    bench.broker.streams["SC_SWAP_EVT"] = fresh
    await bench.tell(2)
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1, 2), "delivered")


async def test_a_target_that_owes_too_much_loses_the_oldest_and_says_so(bench):
    bench.most_rows = 10
    await bench.kill()
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.start()
    await bench.put("bob")
    for number in range(25):
        await bench.tell(number)
    await bench.taken()
    standing = await view(bench)
    assert (standing.pending, standing.dropped) == (10, 15)
    bench.receivers.answers.clear()
    await bench.until(lambda: len(bench.receivers.got["bob"]) >= 10, "the rest is delivered")
    assert bench.receivers.events("bob")[-10:] == swaps(*range(15, 25))


async def test_what_was_delivered_makes_room_before_what_was_given_up(bench):
    bench.most_rows = 4
    await bench.kill()
    await bench.start()
    await bench.put("bob")
    bench.receivers.answers["bob"] = lambda _: BAD
    failed = await bench.ask(TEST_TARGET, contract.TestTarget(id="bob"))
    bench.receivers.answers.clear()
    for number in range(8):
        await bench.tell(number)
        await bench.until(lambda n=number: len(bench.receivers.got["bob"]) == n + 1, "delivered")

    async def settled():
        return len(await log(bench, state="delivered")) == 3 and (await view(bench)).pending == 0

    await bench.until(settled, "settled")
    assert failed.id in {row.id for row in await log(bench)}
    assert (await view(bench)).dropped == 0


async def test_bodies_are_kept_only_while_they_are_needed_and_never_too_many(bench):
    bench.most_events = 5
    await bench.kill()
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.start()
    await bench.put("alice")
    await bench.put("bob")
    for number in range(12):
        await bench.tell(number)
    await bench.until(lambda: len(bench.receivers.got["alice"]) == 12, "alice has all")
    await bench.taken()
    standing = await view(bench)
    assert standing.pending + standing.dropped == 12
    assert standing.pending == 5
    bench.receivers.answers.clear()
    await bench.until(lambda: len(bench.receivers.got["bob"]) >= 5, "bob has the rest")

    async def nothing_kept():
        keys = [key async for key in bench.redis.scan_iter("sc:webhook:event*")]
        return not keys

    await bench.until(nothing_kept, "no body is kept")


async def test_what_is_older_than_ninety_days_is_forgotten(bench):
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.got["bob"]), "delivered")
    await bench.sleep(timedelta(days=91))
    await bench.tell(2)

    async def only_the_new_one():
        return [row.event_id for row in await log(bench)] == swaps(2)

    await bench.until(only_the_new_one, "forgotten")
    rows = [key async for key in bench.redis.scan_iter("sc:webhook:delivery:*")]
    assert len(rows) == 1


async def test_a_bus_that_is_away_costs_nothing(bench):
    await bench.put("bob")
    await bench.tell(1)
    bench.broker.down()
    await bench.clock.advance(20)
    bench.broker.up()
    await bench.tell(2)
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 2, "delivered")
    assert bench.receivers.events("bob") == swaps(1, 2)


async def test_what_is_no_event_becomes_a_dead_letter_of_the_bus_and_stops_nothing(bench):
    await bench.put("bob")
    bench.broker.store("swap.complete.x", b"rubbish", "r")
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.got["bob"]), "the next one is delivered")
    assert len(bench.broker.streams["SC_DLQ"].messages) == 1


async def test_a_leader_that_was_paused_writes_nothing_any_more(bench):
    await bench.put("bob")

    async def leads():
        return await bench.redis.exists("sc:leader:webhooks") == 1

    await bench.until(leads, "it leads")
    await bench.redis.incrby("sc:fence:webhooks", 1_000_000)
    await bench.tell(1)
    consumer = bench.broker.streams["SC_SWAP_EVT"].consumer("webhook")
    await bench.until(lambda: any(one.attempt > 2 for one in consumer.pending.values()), "tried")
    assert await log(bench) == []
    await bench.kill()
    await bench.start()
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1), "the next one does")


async def test_pages_of_the_log(bench):
    await bench.put("alice")
    await bench.put("bob")
    for number in range(6):
        await bench.tell(number)
        await bench.until(lambda n=number: len(bench.receivers.got["bob"]) == n + 1, "sent")
    await bench.until(lambda: len(bench.receivers.got["alice"]) == 6, "sent")

    async def whole():
        return len(await log(bench, state="delivered")) == 12

    await bench.until(whole, "noted")
    first = await log(bench, target="bob", limit=4)
    assert [row.event_id for row in first] == swaps(5, 4, 3, 2)
    rest = await log(bench, target="bob", limit=4, before=first[-1].created_at)
    assert [row.event_id for row in rest] == swaps(1, 0)
    assert await log(bench, state="pending") == []
    with pytest.raises(NotFoundError):
        await log(bench, target="nobody")


async def test_redis_that_comes_back_finds_everything(bench, redis_server):
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.put("bob")
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.tried["bob"]), "tried")
    await redis_server.kill()
    await bench.tell(2)
    await bench.clock.advance(10)
    await redis_server.start()
    bench.receivers.answers.clear()
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1, 2), "both")
