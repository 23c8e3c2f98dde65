"""Transitions reach the stream once and in order, wherever the process was killed."""

import json
from datetime import timedelta

import pytest

from spark_health.watching import keys
from spark_health.watching.judge import Change
from spark_health.watching.ports import Target
from spark_health.watching.standing import Standing
from spark_health.watching.store import Standings
from spark_health.watching.telling import Teller, entry_of
from spark_health.watching.uptime import Counted, UptimeBook, hour_of

pytestmark = pytest.mark.connected
TARGET = Target("qdrant", "service", "Qdrant", "spark2")


def change(clock, before, after):
    return Change(before, after, clock.now(), "seen", 5.0, 1)


def told(broker):
    return [
        (message.envelope.data["from"], message.envelope.data["to"])
        for message in broker.stream("SC_HEALTH").messages.values()
    ]


async def test_a_transition_is_written_with_its_event_once(redis, clock):
    store = Standings(redis)
    down = Standing(level="down", n=1)
    entry = entry_of(TARGET, 1, change(clock, "up", "down"), False)
    assert await store.settle("qdrant", down, entry)
    assert not await store.settle("qdrant", down, entry)
    assert await redis.llen(keys.OUTBOX) == 1
    assert (await store.one("qdrant")).level == "down"
    # What was seen lately never undoes a transition.
    assert not await store.save("qdrant", Standing(level="up", n=0))
    assert await store.save("qdrant", Standing(level="down", n=1, misses=7))
    await redis.hset(keys.STANDINGS, "junk", "{")
    assert set(await store.all()) == {"qdrant"}


async def test_killed_between_any_two_steps_each_is_told_once_in_order(redis, bus, broker, clock):
    store = Standings(redis)
    for n, (before, after) in enumerate((("up", "down"), ("down", "up"), ("up", "down")), start=1):
        entry = entry_of(TARGET, n, change(clock, before, after), False)
        await store.settle("qdrant", Standing(level=after, n=n), entry)
    first = await redis.lindex(keys.OUTBOX, 0)
    # Told, and killed before the entry was gone; for longer than the server remembers ids.
    assert await Teller(redis, bus, clock).tell_next()
    await redis.lpush(keys.OUTBOX, first)
    await clock.advance(timedelta(hours=3).total_seconds())
    teller = Teller(redis, bus, clock)
    while await teller.tell_next():
        pass
    assert told(broker) == [("up", "down"), ("down", "up"), ("up", "down")]
    assert await redis.exists(keys.OUTBOX) == 0


async def test_junk_in_the_outbox_stops_nobody(redis, bus, broker, clock):
    entry = entry_of(TARGET, 1, change(clock, "up", "down"), False)
    await redis.rpush(keys.OUTBOX, "{", json.dumps({"id": "x"}), json.dumps(entry))
    teller = Teller(redis, bus, clock)
    while await teller.tell_next():
        pass
    assert told(broker) == [("up", "down")]


async def test_hours_are_written_whole_and_old_ones_go(redis, clock):
    book, counted = UptimeBook(redis), Counted()
    counted.count("up", 4.0, clock.now())
    counted.count("down", 1.0, clock.now())
    counted.count("unknown", 1.0, clock.now())
    counted.count("up", 600.0, clock.now())
    for _ in range(2):
        counted.dirty.add(hour_of(clock.now()))
        await book.write("qdrant", counted, clock.now())
    await redis.hset(keys.uptime("qdrant"), mapping={"7": "x y", "junk": "1 2"})
    read = await book.read("qdrant")
    assert read.view(clock.now(), None).day == 80.0
    later = clock.now() + timedelta(days=40)
    await book.write("qdrant", read, later)
    assert (await book.read("qdrant")).hours == {}
