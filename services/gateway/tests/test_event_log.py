"""All events in one order: pages, cursors, filters, resets; against a plain list as the model."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from gateway_stand.sse_client import until
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.clock import SystemClock
from spark_common.envelope import Envelope
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus, settle
from spark_gateway.streams.event_cursor import Place, digest, read_cursor, write_cursor
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.event_types import EVERYTHING, type_of, wanted

SUBJECTS = {
    "swap.complete.{n}": "SC_SWAP_EVT",
    "swap.failed.{n}": "SC_SWAP_EVT",
    "swap.accepted.{n}": "SC_SWAP_ADM",
    "download.complete.{n}": "SC_JOB_EVT",
    "lock.acquired": "SC_LEASE_EVT",
    "lock.freed": "SC_LEASE_EVT",
    "schedule.due": "SC_SCHED_EVT",
    "health.transition.{n}": "SC_HEALTH",
}


class World:
    """Streams in memory on a clock that the test moves, and a plain list of what was told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(clock=self.clock)
        self.told: list[tuple[str, str]] = []
        self._number = 0

    async def tell(self, subject: str) -> str:
        """Store one event; a moment later than everything before."""
        self._number += 1
        await self.clock.advance(0.001)
        name = subject.format(n=self._number)
        event_id = f"e{self._number}"
        kind = type_of(name)
        assert kind is not None
        envelope = Envelope(
            id=event_id,
            source="test",
            type=f"spark.{kind}.v1",
            # Publishers' clocks differ: what counts is when the bus took it.
            time=self.clock.now() - timedelta(seconds=self._number % 7),
            data={"n": self._number},
        )
        self.broker.store(name, envelope.model_dump_json(exclude_none=True).encode(), event_id)
        self.told.append((kind, event_id))
        return event_id


@contextlib.asynccontextmanager
async def a_log(world: World, shelf_records: int = 2048) -> AsyncIterator[EventLog]:
    log = EventLog(MemoryBus("gateway", world.broker), world.clock, shelf_records=shelf_records)
    running = asyncio.create_task(log.run())
    await settle()
    await world.clock.advance(1.0)
    try:
        yield log
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def ids(page) -> list[str]:
    return [json.loads(record.body)["id"] for record in page.records]


async def walk(log: EventLog, chosen=EVERYTHING, limit: int = 3, places=None) -> list[str]:
    """Read pages to the end; every cursor goes over the wire, and is asked twice."""
    places, found = places or {}, []
    for _ in range(500):
        page = await log.page(places, chosen, limit)
        again = await log.page(places, chosen, limit)
        assert ids(again) == ids(page)
        assert again.after == page.after
        assert not page.reset
        found += ids(page)
        places = read_cursor(write_cursor(page.after))
        if not page.records and not page.more:
            return found
    raise AssertionError("there is no end")


FILTERS = st.sampled_from(
    [(), ("lock.*",), ("swap.complete", "schedule.*"), ("*.failed",), ("health.transition",)]
)


class TestPages:
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.sampled_from(list(SUBJECTS)), max_size=40),
        st.integers(1, 9),
        st.integers(1, 12),
        FILTERS,
        st.integers(0, 40),
    )
    def test_they_are_the_list_of_what_was_told(
        self, subjects: list[str], limit: int, shelf: int, patterns: tuple[str, ...], split: int
    ) -> None:
        """Whatever is in memory or asked for, however it is cut: nothing is lost or comes twice."""

        async def play() -> None:
            world = World()
            for subject in subjects[:split]:
                await world.tell(subject)
            async with a_log(world, shelf) as log:
                chosen = wanted(patterns)
                for subject in subjects[split:]:
                    await world.tell(subject)
                await settle()
                await world.clock.advance(1.0)
                expected = [each for kind, each in world.told if kind in chosen.types]
                assert await walk(log, chosen, limit) == expected

        asyncio.run(play())

    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(st.lists(st.sampled_from(list(SUBJECTS)), max_size=6), max_size=6),
        st.integers(1, 5),
    )
    def test_a_reader_that_follows_loses_and_doubles_nothing(
        self, bursts: list[list[str]], shelf: int
    ) -> None:
        async def play() -> None:
            world = World()
            async with a_log(world, shelf) as log:
                places, found = {}, []
                for burst in [*bursts, []]:
                    for subject in burst:
                        await world.tell(subject)
                        await settle()
                    await world.clock.advance(1.0)
                    page = await log.page(places, EVERYTHING, 100)
                    found += ids(page)
                    places = page.after
                assert found == [each for _, each in world.told]

        asyncio.run(play())

    async def test_from_now_on_only_what_comes(self) -> None:
        world = World()
        await world.tell("lock.acquired")
        async with a_log(world) as log:
            places = await log.now()
            assert ids(await log.page(places, EVERYTHING, 10)) == []
            new = await world.tell("lock.freed")
            await settle()
            await world.clock.advance(1.0)
            assert ids(await log.page(places, EVERYTHING, 10)) == [new]

    async def test_what_somebody_published_by_hand_is_no_event(self) -> None:
        world = World()
        world.broker.store("lock.acquired", b"hello")
        world.broker.store("lock.unheard_of", b"{}")
        whole = Envelope(
            id="x", source="x", type="spark.lock.freed.v1", time=world.clock.now(), data={"n": 1}
        ).model_dump_json()
        for strange in ("NaN", "1e999", "[" * 5000, '"\\ud800"'):
            world.broker.store("lock.freed", whole.replace('"n":1', f'"n":{strange}').encode())
        seen = await world.tell("lock.freed")
        async with a_log(world) as log:
            found = await walk(log, limit=1)
            assert found[-1] == seen
            page = await log.page({}, EVERYTHING, 100)
            for each in page.records:
                json.loads(each.body, parse_constant=lambda name: pytest.fail(name))


class TestResets:
    async def test_a_stream_that_was_made_anew_is_told_from_its_beginning(self) -> None:
        world = World()
        kept = await world.tell("swap.complete.{n}")
        await world.tell("lock.acquired")
        async with a_log(world) as log:
            page = await log.page({}, EVERYTHING, 10)
            places = {**page.after, "SC_LEASE_EVT": Place(digest("another"), 1)}
            after = await log.page(places, EVERYTHING, 10)
            assert after.reset == ("SC_LEASE_EVT",)
            assert ids(after) == [world.told[1][1]]
            assert kept not in ids(after), "the other streams go on where they were"
            assert ids(await log.page(after.after, EVERYTHING, 10)) == []
            assert (await log.page(places, EVERYTHING, 10)).reset == after.reset

    async def test_a_place_that_is_not_kept_any_more_says_so(self) -> None:
        world = World()
        for _ in range(6):
            await world.tell("lock.acquired")
        async with a_log(world, 2) as log:
            place = (await log.page({}, EVERYTHING, 1)).after
            for seq in (1, 2, 3):
                del world.broker.streams["SC_LEASE_EVT"].messages[seq]
            page = await log.page(place, EVERYTHING, 10)
            assert page.reset == ("SC_LEASE_EVT",)
            assert ids(page) == ["e4", "e5", "e6"]
            assert (await log.page({}, EVERYTHING, 10)).reset == (), "a beginning misses nothing"

    async def test_a_beginning_behind_what_was_dropped_long_ago_is_no_gap(self) -> None:
        """The second page of a replay, of a stream whose first events are years gone."""
        world = World()
        for subject in ["lock.acquired"] * 5 + ["swap.complete.{n}"] * 5:
            await world.tell(subject)
        for seq in (1, 2, 3):
            del world.broker.streams["SC_SWAP_EVT"].messages[seq]
        async with a_log(world, 2) as log:
            expected = [f"e{number}" for number in (1, 2, 3, 4, 5, 9, 10)]
            assert await walk(log, limit=2) == expected

    async def test_events_lost_before_the_first_that_was_seen_are_a_gap(self) -> None:
        """A cursor of when nothing had happened yet, and more happened since than is kept."""
        world = World()
        async with a_log(world, 2) as log:
            places = await log.now()
            for _ in range(6):
                await world.tell("lock.acquired")
            for seq in (1, 2, 3):
                del world.broker.streams["SC_LEASE_EVT"].messages[seq]
            await settle()
            await world.clock.advance(1.0)
            page = await log.page(places, EVERYTHING, 10)
            assert (page.reset, ids(page)) == (("SC_LEASE_EVT",), ["e4", "e5", "e6"])

    async def test_a_number_that_never_was_says_so(self) -> None:
        world = World()
        await world.tell("lock.acquired")
        async with a_log(world) as log:
            places = await log.now()
            beyond = {**places, "SC_LEASE_EVT": Place(places["SC_LEASE_EVT"].epoch, 99)}
            assert (await log.page(beyond, EVERYTHING, 10)).reset == ("SC_LEASE_EVT",)

    async def test_a_filter_does_not_fall_behind_by_what_it_hides(self) -> None:
        """Ninety days without a failed swap are no gap for who waits for failed swaps."""
        world = World()
        async with a_log(world, 2) as log:
            chosen, places = wanted(["swap.failed"]), {}
            for _ in range(5):
                await world.tell("swap.complete.{n}")
                await settle()
                await world.clock.advance(1.0)
                places = (await log.page(places, chosen, 10)).after
            world.broker.streams["SC_SWAP_EVT"].messages.clear()
            failed = await world.tell("swap.failed.{n}")
            await settle()
            await world.clock.advance(1.0)
            page = await log.page(places, chosen, 10)
            assert (ids(page), page.reset) == ([failed], ())


async def test_an_older_event_that_is_late_still_comes_first() -> None:
    """The reader of one stream is behind; nothing younger is told before it has caught up."""
    clock = SystemClock()
    broker = MemoryBroker()
    bus = LaggingBus("gateway", broker)
    log = EventLog(bus, clock)
    running = asyncio.create_task(log.run())
    try:
        await until(lambda: "SC_HEALTH" in bus.tailed)
        world = World()
        world.broker = broker
        bus.lag.clear()
        first, second = await world.tell("lock.acquired"), await world.tell("swap.complete.{n}")
        asked = asyncio.create_task(log.page({}, EVERYTHING, 10))
        await asyncio.sleep(0.6)
        assert not asked.done()
        bus.lag.set()
        assert ids(await asked) == [first, second]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class LaggingBus(MemoryBus):
    """Whose reader of the lease's events can be made to wait."""

    def __init__(self, source: str, broker: MemoryBroker) -> None:
        super().__init__(source, broker)
        self.lag = asyncio.Event()
        self.lag.set()
        self.tailed: set[str] = set()

    async def tail(self, stream, subjects=(">",), after_seq=None):
        self.tailed.add(stream)
        async for message in super().tail(stream, subjects, after_seq):
            if stream == "SC_LEASE_EVT":
                await self.lag.wait()
            yield message
