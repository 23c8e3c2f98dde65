"""Whoever dies, is away or was paused: what is owed is sent, in order, under the same id."""

import asyncio
from datetime import timedelta

import pytest

from spark_coordinator.webhooks.testing import BAD, swaps

pytestmark = pytest.mark.connected


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
    (row,) = await bench.log()
    assert (row.state, row.tries) == ("delivered", 1)


async def test_state_survives_a_restart(bench):
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.put("bob")
    for number in range(3):
        await bench.tell(number)
    await bench.until(lambda: len(bench.receivers.tried["bob"]) == 2, "tried twice", step=1)

    async def noted():
        return (await bench.log())[-1].tries == 2

    await bench.until(noted, "noted", step=0)
    before = [row.model_dump() for row in await bench.log()]
    await bench.kill()
    await bench.start()
    assert [row.model_dump() for row in await bench.log()] == before
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
    assert await bench.log() == []
    await bench.kill()
    await bench.start()
    await bench.until(lambda: bench.receivers.events("bob") == swaps(1), "the next one does")


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
        return [row.event_id for row in await bench.log(state="delivered")] == swaps(2, 1)

    await bench.until(both, "the log is in order as well")
