"""What happens reaches every target that wants it, in order, and is tried again until it does."""

from datetime import timedelta

import pytest

from spark_coordinator.webhooks.body import delivery_id
from spark_coordinator.webhooks.testing import BAD, GONE, GOOD, swaps

pytestmark = pytest.mark.connected


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
    (newest, *_) = await bench.log(target="bob")
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

    async def tried():
        return (await bench.view()).last_status is not None

    await bench.until(tried, "the first try")
    first = (await bench.view(), bench.clock.now())
    assert len(bench.receivers.tried["bob"]) == 1
    assert (first[0].pending, first[0].last_status) == (3, 500)
    assert first[0].last_error == "the receiver answered 500"
    assert timedelta() < first[0].next_try_at - first[1] <= timedelta(seconds=5)
    await bench.until(lambda: len(bench.receivers.got["bob"]) == 3, "all are there", step=1)
    assert bench.receivers.events("bob") == swaps(0, 1, 2)
    assert len({parcel.id for parcel in bench.receivers.tried["bob"][:3]}) == 1
    assert bench.clock.now() - first[1] >= timedelta(seconds=5 + 10 - 1)
    rows = await bench.log(state="delivered")
    assert [row.tries for row in rows] == [1, 1, 3]
    assert (await bench.view()).last_error is None


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


async def test_410_switches_a_target_off_with_the_reason_and_keeps_what_is_owed(bench):
    bench.receivers.answers["bob"] = lambda _: GONE
    await bench.put("bob")
    await bench.tell(1)

    async def off():
        return not (await bench.view()).enabled

    await bench.until(off, "it is off")
    assert "410" in (await bench.view()).disabled_because
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
