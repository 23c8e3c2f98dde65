"""Captured bodies: only while they are wanted, bounded, and gone from the disk afterwards."""

import asyncio
from datetime import timedelta

import pytest

from spark_common.contracts.captures import (
    READ_CAPTURE,
    BeginCapture,
    Capture,
    EndCapture,
    GetCapture,
    KeepBodies,
    ReadCapture,
)
from spark_common.errors import NotFoundError
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.captures.book import CaptureBook, Terms
from spark_coordinator.captures.feature import NAME, Captures, captures

QUESTION = b'{"messages":[{"content":"a private matter"}]}'


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def kept(tmp_path, clock):
    made = Captures(tmp_path, clock)
    yield made
    await made.close()


def bodies(clock, id="req-1", asked=QUESTION, answered=b"HTTP/1.1 200 OK\r\n\r\n{}\xff"):
    return KeepBodies.model_construct(
        id=id,
        at=clock.now(),
        path="/v1/chat/completions",
        asked=asked,
        asked_bytes=len(asked),
        answered=answered,
        answered_bytes=len(answered),
    )


async def test_nothing_is_kept_until_somebody_wants_it(kept, clock):
    assert not (await kept.get(GetCapture())).on
    assert not (await kept.keep(bodies(clock))).kept
    with pytest.raises(NotFoundError):
        await kept.read(ReadCapture(id="req-1"))


async def test_what_is_wanted_is_kept_and_read(kept, clock):
    view = await kept.begin(BeginCapture(minutes=5, kilobytes=8, requested_by="Alice"))
    assert (view.on, view.kilobytes, view.requested_by) == (True, 8, "Alice")
    assert view.until == clock.now() + timedelta(minutes=5)
    assert (await kept.keep(bodies(clock))).kept
    assert (await kept.get(GetCapture())).kept == 1
    found = await kept.read(ReadCapture(id="req-1"))
    assert (found.asked, found.answered_bytes, found.until) == (QUESTION, 22, view.until)
    await kept.keep(bodies(clock, asked=b"newer"))
    assert (await kept.read(ReadCapture(id="req-1"))).asked == b"newer"


@pytest.mark.parametrize("how", ["by hand", "by time", "after a restart"])
async def test_at_the_end_nothing_is_left_on_the_disk(kept, clock, tmp_path, how):
    await kept.begin(BeginCapture(minutes=1))
    for number in range(20):
        await kept.keep(bodies(clock, id=f"req-{number}"))
    assert b"a private matter" in (tmp_path / NAME).read_bytes()
    if how == "by hand":
        await kept.end(EndCapture())
    elif how == "by time":
        running = asyncio.create_task(kept.run())
        await clock.advance(70)
        # One thread, in order: this waits until the book has been emptied.
        assert await kept._file.run(lambda book: book.terms()) is None
        running.cancel()
    else:
        await kept.close()
        await clock.advance(70)
        other = Captures(tmp_path, clock)
        await other.look()
        await other.close()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"private" not in left
    if how != "after a restart":
        assert not (await kept.get(GetCapture())).on
        with pytest.raises(NotFoundError):
            await kept.read(ReadCapture(id="req-1"))


async def test_a_new_time_keeps_what_there_is_and_one_that_was_over_does_not(kept, clock):
    await kept.begin(BeginCapture(minutes=1))
    await kept.keep(bodies(clock))
    await kept.begin(BeginCapture(minutes=2))
    await clock.advance(90)
    assert (await kept.read(ReadCapture(id="req-1"))).asked == QUESTION
    await clock.advance(60)
    assert (await kept.begin(BeginCapture(minutes=2))).kept == 0


async def test_a_damaged_file_is_deleted_and_not_set_aside(kept, clock, tmp_path):
    await kept.begin(BeginCapture())
    await kept.keep(bodies(clock))
    await kept.close()
    (tmp_path / NAME).write_bytes(QUESTION * 500)
    other = Captures(tmp_path, clock)
    assert not (await other.get(GetCapture())).on
    await other.close()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


async def test_no_file_is_made_by_looking(kept, tmp_path):
    await kept.look()
    assert list(tmp_path.iterdir()) == []


def test_room_is_bounded_and_what_found_none_is_counted(tmp_path, clock):
    book = CaptureBook(tmp_path / NAME)
    book.begin(Terms(clock.now(), 8, "Alice"))
    assert book.keep(bodies(clock, asked=b"x" * 60, answered=b""), most=100)
    assert not book.keep(bodies(clock, asked=b"x" * 60, answered=b""), most=100)
    assert book.terms().dropped == 1
    book.close()


async def test_any_bytes_come_back_over_the_bus(clock, tmp_path):
    broker = MemoryBroker(clock=clock)
    feature = captures(tmp_path, clock)
    await MemoryBus("coordinator", broker).serve("coordinator", "1", "a test", feature.verbs)
    bus = MemoryBus("gateway", broker)
    begin, keep = feature.verbs[1].rpc, feature.verbs[3].rpc
    await bus.call(begin, BeginCapture())
    noise = bytes(range(256))
    assert (await bus.call(keep, bodies(clock, asked=noise, answered=noise * 4))).kept
    found: Capture = await bus.call(READ_CAPTURE, ReadCapture(id="req-1"))
    assert (found.asked, found.answered) == (noise, noise * 4)
