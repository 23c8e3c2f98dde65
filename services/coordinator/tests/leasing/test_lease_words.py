"""Whatever people call themselves comes back as they said it, by every way out."""

import json

import pytest

from spark_common.bus.answering import MAX_REPLY_BYTES
from spark_common.bus.wire import write
from spark_common.contracts.leases import RequestYield
from spark_common.events import EVENTS
from spark_common.leasing import keys
from spark_coordinator.leasing.telling import event_of

connected = pytest.mark.connected
NAMES = [
    "Zoë & Søren",
    "夜間バッチ",
    "🤖 agent \U0001f9ea",
    '"quoted" \\ back\\slash',
    "line\nbreak\ttab",
    "nul\x00byte",
    "]] -- redis.call('FLUSHALL')",
    "sc:lock%s%d",
    "x" * 200,
    "\u202egnp.exe",
    "'; return 1 --",
    "{}",
    "null",
    "0",
]
FACTS = {"id": "lock-1-1", "epoch": 3, "holder": "Alice", "at_ms": 1_800_000_000_000}
MORE = {
    "acquired": {"ttl_seconds": 60, "expires_ms": 1_800_000_060_000, "reason": ""},
    "extended": {"ttl_seconds": 60, "expires_ms": 1_800_000_060_000},
    "expiring": {"remaining_seconds": 30.5, "expires_ms": 1_800_000_060_000, "waiting": 2},
    "released": {"held_seconds": 12.5},
    "expired": {"held_seconds": 60},
    "forced": {"held_seconds": 1, "action": "take", "requested_by": "Owner"},
    "freed": {"ended": "expired", "drain_seconds": 0.25, "cut": False},
    "queued": {"ticket": "t", "priority": "batch", "position": 1, "eta_ms": 1500},
    "queue": {"queue": {}},
    "granted": {"ticket": "t", "take_up_by_ms": 1_800_000_060_000},
    "dropped": {"ticket": "t", "why": "left"},
    "yield_requested": {"requested_by": "Bob", "by": "2026-01-01T14:00:00+01:00", "note": "x"},
}


def test_every_event_of_the_lease_can_be_told():
    assert set(MORE) == {
        event.type.removeprefix("lock.") for event in EVENTS if event.type.startswith("lock.")
    }


@pytest.mark.parametrize("word", MORE)
def test_an_entry_becomes_the_same_event_whenever_it_is_read(word):
    facts = {**FACTS, **MORE[word], "word": word}
    first, second = event_of(facts), event_of(facts)
    assert first == second
    assert (first.subject, first.id) == (f"lock.{word}", "lock-1-1")
    told = first.message
    assert (told.type, told.epoch, told.at.timestamp()) == (f"lock.{word}", 3, 1_800_000_000)
    if hasattr(told, "expires_at"):
        assert told.expires_at.timestamp() == 1_800_000_060
    if word == "queued":
        assert told.eta_seconds == 1.5


@connected
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
async def test_names_and_reasons_come_back_as_they_were_said(lease, name):
    said = name.strip()
    await lease.take(name, reason=name)
    await lease.take(name, reason=name, wait=True)
    await lease.leases.ask_to_yield(RequestYield(requested_by=name, note=name))
    view = await lease.see()
    assert (view.holder, view.reason) == (said, said)
    assert (view.queue[0].holder, view.queue[0].reason) == (said, said)
    assert (view.yields[0].requested_by, view.yields[0].note) == (said, said)
    gate = await lease.gate.for_caller(None)
    assert (gate.holder, gate.reason) == (said, said)
    await lease.give(force=True, requested_by=name)
    events = await lease.told()
    assert {event.holder for event in events if event.type != "lock.queue"} == {said}
    assert [event.requested_by for event in events if event.type == "lock.forced"] == [said]


@connected
async def test_the_line_at_its_longest_is_told_in_one_message(lease):
    longest, note = "\U0001f9ea" * 200, "\U0001f9ea" * 500
    await lease.take(longest, reason=note)
    for number in range(12):
        by = f"{number:02}{longest[2:]}"
        await lease.leases.ask_to_yield(RequestYield(requested_by=by, note=note))
    for number in range(100):
        await lease.take(longest, reason=note, wait=True, priority="batch")
        if number % 30 == 0:
            await lease.redis.delete(keys.OUTBOX)
    (row,) = await lease.redis.lrange(keys.OUTBOX, -1, -1)
    message = event_of(json.loads(row)).message
    assert len(message.queue) == 100
    assert len(message.model_dump_json().encode()) < MAX_REPLY_BYTES - 1000
    view = await lease.see()
    assert [one.requested_by[:2] for one in view.yields] == [f"{n:02}" for n in range(2, 12)]
    assert len(write(view)) < MAX_REPLY_BYTES
