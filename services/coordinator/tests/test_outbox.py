"""Events written with the change they tell of reach the bus once, in order, whoever dies."""

import asyncio
import json

import pytest

from spark_common.events import SwapRejected
from spark_common.subjects import swap_rejected
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_coordinator.outbox import Outbox, Outgoing

pytestmark = pytest.mark.connected
KEY = "sc:test:outbox"


def event_of(facts):
    message = SwapRejected(
        swap_id=facts["id"], model="m", requested_by="Alice", code="c", message="x"
    )
    return Outgoing(swap_rejected(facts["id"]), message, facts["id"])


async def write(redis, *ids):
    await redis.rpush(KEY, *(json.dumps({"id": one}) for one in ids))


def told(broker):
    return [message.envelope.id for message in broker.stream("SC_SWAP_ADM").messages.values()]


async def test_entries_are_told_in_order_and_then_gone(redis, bus, broker, clock):
    outbox = Outbox(redis, KEY, bus, clock, event_of)
    await write(redis, "one", "two")
    assert await outbox.tell_next()
    assert await outbox.tell_next()
    assert not await outbox.tell_next()
    assert told(broker) == ["one", "two"]
    assert await redis.exists(KEY) == 0


async def test_what_was_told_by_one_that_died_before_it_took_it_away_is_told_once(
    redis, bus, broker, clock
):
    await write(redis, "one")
    outgoing = event_of({"id": "one"})
    await bus.publish_durable(outgoing.subject, outgoing.message, id=outgoing.id)
    assert await Outbox(redis, KEY, bus, clock, event_of).tell_next()
    assert told(broker) == ["one"]


async def test_a_bus_that_is_away_costs_no_entry(redis, bus, broker, clock):
    broker.down()
    await write(redis, "one")
    outbox = Outbox(redis, KEY, bus, clock, event_of)
    telling = asyncio.create_task(outbox.tell_next())

    async def given_up():
        await clock.advance(1.0)
        return telling.done()

    await until(given_up, "it stops trying")
    assert telling.result() is False
    broker.up()
    assert await outbox.tell_next()
    assert told(broker) == ["one"]


@pytest.mark.parametrize("junk", ["{", "[]", "{}", "null", '{"id": 7}'])
async def test_what_nobody_can_read_holds_nobody_up(redis, bus, broker, clock, junk):
    await redis.rpush(KEY, junk)
    await write(redis, "one")
    outbox = Outbox(redis, KEY, bus, clock, event_of)
    assert await outbox.tell_next()
    assert await outbox.tell_next()
    assert told(broker) == ["one"]


async def test_waking_tells_at_once(redis, bus, broker, clock):
    outbox = Outbox(redis, KEY, bus, clock, event_of)
    loop = asyncio.create_task(outbox.run())
    try:
        await write(redis, "one")
        outbox.wake()

        async def gone():
            return await redis.exists(KEY) == 0

        await until(gone, "told")
    finally:
        await end([loop])
    assert told(broker) == ["one"]
