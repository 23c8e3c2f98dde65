"""What became of a delivery is kept within bounds, shown, and what was given up is sent again."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from spark_common.contracts import webhooks as contract
from spark_common.contracts.webhooks import SEND_AGAIN, TEST_TARGET, SendAgain
from spark_common.errors import ConflictError, NotFoundError
from spark_coordinator.webhooks.body import delivery_id
from spark_coordinator.webhooks.testing import BAD, GOOD, swaps

pytestmark = pytest.mark.connected


async def test_after_three_days_a_dead_letter_is_shown_and_the_next_one_goes(bench):
    dead = delivery_id("swap-1", "bob")
    bench.receivers.answers["bob"] = lambda parcel: BAD if parcel.id == dead else GOOD
    await bench.put("bob")
    earliest = bench.clock.now()
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.tried["bob"]), "tried")
    latest = bench.clock.now()
    await bench.sleep(timedelta(hours=71, minutes=59))
    await bench.tell(2)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 2, "not yet")

    async def given_up():
        return (await bench.view()).dead == 1

    await bench.until(given_up, "given up", step=1)
    assert bench.clock.now() - earliest >= timedelta(hours=72)
    assert bench.clock.now() - latest < timedelta(hours=72, minutes=1)
    await bench.until(lambda: bench.receivers.events("bob") == swaps(2), "the next one goes")
    (row,) = await bench.log(state="dead")
    assert (row.id, row.status, row.next_try_at) == (dead, 500, None)
    assert row.tries >= 3

    bench.receivers.answers.clear()
    again = await bench.ask(SEND_AGAIN, SendAgain(id=dead))
    assert again.state == "pending"
    await bench.until(lambda: bench.receivers.events("bob") == swaps(2, 1), "sent again")
    assert bench.receivers.got["bob"][1].id == dead
    standing = await bench.view()
    assert (standing.dead, standing.pending) == (0, 0)
    with pytest.raises(ConflictError, match="only one that was given up"):
        await bench.ask(SEND_AGAIN, SendAgain(id=dead))
    with pytest.raises(NotFoundError):
        await bench.ask(SEND_AGAIN, SendAgain(id="dlv_unknown"))


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
    assert [row.id for row in await bench.log(state="dead")] == [failed.id]
    with pytest.raises(ConflictError, match="test button"):
        await bench.ask(SEND_AGAIN, SendAgain(id=failed.id))
    with pytest.raises(NotFoundError):
        await bench.ask(TEST_TARGET, contract.TestTarget(id="nobody"))


async def test_a_target_that_owes_too_much_loses_the_oldest_and_says_so(bench):
    bench.most_rows = 10
    await bench.kill()
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.start()
    await bench.put("bob")
    for number in range(25):
        await bench.tell(number)
    await bench.taken()
    standing = await bench.view()
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
        return len(await bench.log(state="delivered")) == 3 and (await bench.view()).pending == 0

    await bench.until(settled, "settled")
    assert failed.id in {row.id for row in await bench.log()}
    assert (await bench.view()).dropped == 0


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
    standing = await bench.view()
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
        return [row.event_id for row in await bench.log()] == swaps(2)

    await bench.until(only_the_new_one, "forgotten")
    rows = [key async for key in bench.redis.scan_iter("sc:webhook:delivery:*")]
    assert len(rows) == 1


async def test_pages_of_the_log(bench):
    await bench.put("alice")
    await bench.put("bob")
    for number in range(6):
        await bench.tell(number)
        await bench.until(lambda n=number: len(bench.receivers.got["bob"]) == n + 1, "sent")
    await bench.until(lambda: len(bench.receivers.got["alice"]) == 6, "sent")

    async def whole():
        return len(await bench.log(state="delivered")) == 12

    await bench.until(whole, "noted")
    first = await bench.log(target="bob", limit=4)
    assert [row.event_id for row in first] == swaps(5, 4, 3, 2)
    rest = await bench.log(target="bob", limit=4, before=first[-1].created_at)
    assert [row.event_id for row in rest] == swaps(1, 0)
    assert await bench.log(state="pending") == []
    with pytest.raises(NotFoundError):
        await bench.log(target="nobody")
    with pytest.raises(ValidationError, match="timezone"):
        await bench.log(before=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
