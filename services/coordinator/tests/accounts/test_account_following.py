"""From events on the bus to the answer: nothing is lost, nothing counts twice, nothing is told."""

import asyncio
import sqlite3

import pytest

from spark_common.contracts.swaps import Phase
from spark_common.errors import UnavailableError
from spark_common.events import LockReleased
from spark_common.subjects import lock_event
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_coordinator.accounts.following import STREAMS
from spark_coordinator.accounts.keeper import NAME, Keeper

DAY = 24 * 60


@pytest.fixture
async def following(follower):
    """The two readers, running."""
    tasks = [asyncio.create_task(follower.follow(stream)) for stream in STREAMS]
    yield tasks
    await end(tasks)


async def caught_up(keeper, broker):
    async def reached():
        for stream in STREAMS:
            last = broker.streams[stream].bounds[2]
            mark = await keeper.mark(stream)
            if last and (mark is None or mark.seq < last):
                return False
        return True

    await until(reached, "every event is in the accounts")


def of(report, holder):
    return next(account for account in report.holders if account.holder == holder)


async def a_morning(teller):
    """Alice holds an hour and swaps; Bob waits half of it, then holds half an hour."""
    await teller.lease(1, "Alice", 0, 60)
    await teller.swap("s1", "Alice", 10, 4)
    await teller.queued("t1", "Bob", 30)
    await teller.line(30, ("t1", "Bob", 30))
    await teller.granted("t1", "Bob", 60)
    await teller.lease(2, "Bob", 60, 90)
    await teller.failed_swap("s2", "Carol", 120, Phase.LOADING, seconds=120)


async def test_a_morning_is_told_by_holder(teller, following, keeper, broker, clock):
    await a_morning(teller)
    await clock.advance(3 * 3600)
    await caught_up(keeper, broker)
    report = await keeper.report(1)
    alice, bob, carol = (of(report, who) for who in ("Alice", "Bob", "Carol"))
    assert (alice.leases, alice.held_minutes, alice.swaps, alice.imposed_minutes) == (1, 60, 1, 34)
    assert (bob.held_minutes, bob.swaps, bob.imposed_minutes) == (30, 0, 0)
    assert (carol.leases, carol.held_minutes, carol.swaps, carol.imposed_minutes) == (0, 0, 1, 2)
    assert report.free_minutes == 180 - 90
    assert [account.holder for account in report.holders] == ["Alice", "Bob", "Carol"]
    assert report.problems == []


async def test_what_touched_nothing_is_no_swap(teller, following, keeper, broker, clock):
    await teller.failed_swap("s1", "Alice", 1, Phase.PREFLIGHT, seconds=5)
    await teller.swap("s2", "Alice", 2, 1, dry_run=True)
    await clock.advance(600)
    await caught_up(keeper, broker)
    assert (await keeper.report(7)).holders == []


async def test_no_word_of_content_reaches_the_file(teller, following, keeper, broker, tmp_path):
    await a_morning(teller)
    await caught_up(keeper, broker)
    await keeper.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "coordinator").iterdir())
    assert b"Alice" in kept
    assert b"private" not in kept


async def test_a_forced_swap_is_of_the_person_who_forced_it(
    teller, following, keeper, broker, clock
):
    await teller.lease(1, "a script", 0, 60)
    await teller.overridden(1, "a script", "Alice", 20)
    await teller.swap("s1", "Alice", 30, 5)
    await clock.advance(7200)
    await caught_up(keeper, broker)
    report = await keeper.report(1)
    assert (of(report, "Alice").swaps, of(report, "a script").swaps) == (1, 0)
    assert of(report, "a script").held_minutes == 60


async def test_a_new_file_is_filled_from_what_the_streams_keep(
    teller, following, keeper, broker, clock, tmp_path, bus
):
    from spark_coordinator.accounts.following import Follower

    await a_morning(teller)
    await clock.advance(7200)
    await caught_up(keeper, broker)
    before = await keeper.report(7)
    other = Keeper(tmp_path / "elsewhere", clock)
    try:
        for stream in STREAMS:
            await Follower(bus, other, clock).catch_up(stream)
        assert await other.report(7) == before
    finally:
        await other.close()


@pytest.mark.parametrize("damage", ["no database", "a torn page"])
async def test_a_damaged_file_is_set_aside_told_and_filled_anew(
    teller, follower, keeper, broker, clock, tmp_path, damage
):
    await a_morning(teller)
    await clock.advance(7200)
    for stream in STREAMS:
        await follower.catch_up(stream)
    before = await keeper.report(7)
    await keeper.close()
    path = tmp_path / "coordinator" / NAME
    whole = path.read_bytes()
    path.write_bytes(b"x" * 5000 if damage == "no database" else whole[:4096] + b"\xff" * 8192)

    again = Keeper(tmp_path / "coordinator", clock)
    try:
        told = await again.report(7)
        assert told.holders == []
        (sentence,) = told.problems
        assert "accounts.sqlite.damaged-20260101T020000Z" in sentence
        follower._keeper = again
        for stream in STREAMS:
            await follower.catch_up(stream)
        rebuilt = await again.report(7)
        assert (rebuilt.holders, rebuilt.free_minutes) == (before.holders, before.free_minutes)
        aside = list((tmp_path / "coordinator").glob("*.damaged-*"))
        aside[0].unlink()
        assert (await again.report(7)).problems == []
    finally:
        await again.close()


async def test_a_folder_that_cannot_be_used_is_said_and_costs_no_event(
    teller, follower, keeper, broker, clock, tmp_path
):
    blocked = tmp_path / "coordinator"
    blocked.write_text("in the way")
    following = [asyncio.create_task(follower.follow(stream)) for stream in STREAMS]
    await teller.lease(1, "Alice", 0, 1)
    await clock.advance(1)
    with pytest.raises(UnavailableError, match="DATA_DIR"):
        await keeper.report(1)
    assert not any(task.done() for task in following)

    blocked.unlink()

    async def there():
        await clock.advance(10)
        mark = await keeper.mark("SC_LEASE_EVT")
        return mark is not None and mark.seq == 2

    await until(there, "what waited is taken in")
    await end(following)
    await clock.advance(60)
    assert of(await keeper.report(1), "Alice").held_minutes == 1


async def test_a_busy_file_is_waited_for_and_not_set_aside(keeper, tmp_path, clock):
    await keeper.report(1)
    with sqlite3.connect(tmp_path / "coordinator" / NAME, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        keeper._file._book._db.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(UnavailableError):
            await keeper.idle("Alice", 5.0)
        other.execute("ROLLBACK")
    other.close()
    await keeper.idle("Alice", 5.0)
    assert (await keeper.report(1)).problems == []


async def test_an_event_nobody_can_read_is_a_dead_letter_and_the_next_one_counts(
    bus, teller, following, keeper, broker, clock
):
    broker.store(
        lock_event("released"),
        b'{"specversion":"1.0","id":"x","source":"s","type":"spark.lock.released.v1",'
        b'"time":"2026-01-01T00:00:00Z","data":{"holder":7}}',
        "x",
    )
    far = LockReleased(epoch=2**70, holder="Bob", at=teller.at(0), held_seconds=1)
    await bus.publish_durable(lock_event("released"), far, id="far")
    await teller.lease(1, "Alice", 0, 5)
    await clock.advance(600)
    await caught_up(keeper, broker)
    assert [account.holder for account in (await keeper.report(1)).holders] == ["Alice"]


async def test_days_are_closed_only_as_far_as_the_events_were_read(
    teller, follower, keeper, broker, clock
):
    summing = asyncio.create_task(follower.sum_up())
    try:
        await a_morning(teller)
        await clock.advance(600)
        await until(_horizon_is(keeper, "2025-12-30"), "nothing to close yet")
        # Events of five days that nobody has handled yet.
        for day in range(1, 6):
            await teller.lease(10 + day, "Alice", day * DAY, day * DAY + 60)
        await clock.advance(5 * 86400)
        await until(_horizon_is(keeper, "2025-12-30"), "a day whose events are not read is open")

        following = [asyncio.create_task(follower.follow(stream)) for stream in STREAMS]
        await caught_up(keeper, broker)
        await clock.advance(86400)
        closed = _horizon_is(keeper, "2026-01-05")

        async def closed_in_time():
            # The loop may just have looked, and not be waiting yet when the time moved.
            await clock.advance(600)
            return await closed()

        await until(closed_in_time, "two days ago is closed")
        await end(following)
    finally:
        await end([summing])
    report = await keeper.report(30)
    assert of(report, "Alice").held_minutes == 360
    assert of(report, "Alice").imposed_minutes == 34
    facts = keeper._file._book._db.execute("SELECT count(*) FROM facts").fetchone()
    assert facts[0] < 12


def _horizon_is(keeper, expected):
    async def reached():
        return (await keeper._run(lambda book: book.horizon)).isoformat() == expected

    return reached
