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
from spark_common.errors import InvalidRequestError
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus, settle
from spark_gateway.streams.event_cursor import Place, digest, read_cursor, write_cursor
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.event_merge import Candidates, merge
from spark_gateway.streams.event_record import Record, Shelf
from spark_gateway.streams.event_types import EVERYTHING, REPLAYED, TYPES, type_of, wanted

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


def record(stream: str, seq: int, at: float, size: int = 2) -> Record:
    return Record(stream, seq, "lock.acquired", at, "x" * size)


def candidates(*records: Record) -> Candidates:
    return Candidates(Place("00000000", 0), records, records[-1].seq if records else 0)


class TestMerging:
    def test_what_arrived_a_moment_ago_holds_back_what_is_younger(self) -> None:
        """An older event may arrive later, on another reader; it has to come first all the same."""
        early, late = record("A", 1, at=10.0), record("B", 1, at=11.0)
        only_late = merge({}, {"A": candidates(), "B": candidates(late)}, 10, horizon=10.5)
        assert (only_late.records, only_late.waiting) == ((), True)
        assert only_late.after["B"].seq == 0
        both = merge({}, {"A": candidates(early), "B": candidates(late)}, 10, horizon=99.0)
        assert both.records == (early, late)

    def test_a_page_is_bounded_in_bytes_and_never_empty_for_that(self) -> None:
        big = [record("A", n, at=float(n), size=700_000) for n in (1, 2)]
        page = merge({}, {"A": candidates(*big)}, 10, horizon=99.0)
        assert (len(page.records), page.more, page.after["A"].seq) == (1, True, 1)
        huge = [record("A", 1, at=1.0, size=5_000_000)]
        assert len(merge({}, {"A": candidates(*huge)}, 10, horizon=99.0).records) == 1

    def test_places_of_other_streams_stay(self) -> None:
        kept = {"Z": Place("12345678", 7)}
        assert merge(kept, {"A": candidates()}, 10, 99.0).after["Z"] == kept["Z"]


class TestShelf:
    @pytest.mark.parametrize(("room", "size"), [(3, 10**6), (10**6, 30)])
    def test_it_is_bounded_and_says_what_had_to_go(self, room: int, size: int) -> None:
        shelf = Shelf(room, size)
        floors = [shelf.put(record("A", n, at=n, size=10)) for n in range(1, 6)]
        assert floors == [None, None, None, 1, 2]
        assert [each.seq for each in shelf.after(0)] == [3, 4, 5]
        assert [each.seq for each in shelf.after(4)] == [5]
        shelf.clear()
        assert list(shelf.after(0)) == []


class TestCursors:
    @given(
        st.dictionaries(
            st.sampled_from(REPLAYED),
            st.builds(Place, st.integers(0).map(str).map(digest), st.integers(0, 2**63 - 1)),
        )
    )
    def test_they_come_back_as_they_were(self, places: dict[str, Place]) -> None:
        word = write_cursor(places)
        assert read_cursor(word) == places
        assert len(word) <= 200
        assert word.replace("-", "").isalnum()

    @given(st.text(max_size=60))
    def test_anything_else_is_refused_or_read(self, word: str) -> None:
        try:
            places = read_cursor(word)
        except InvalidRequestError:
            return
        assert read_cursor(write_cursor(places)) == places


class TestTypes:
    def test_every_replayed_stream_has_types_and_every_type_one_place(self) -> None:
        assert {each.stream for each in TYPES.values()} == set(REPLAYED)
        for each in TYPES.values():
            assert type_of(each.subject.replace("*", "x")) == each.name

    @pytest.mark.parametrize(
        ("patterns", "expected"),
        [
            ([], set(TYPES)),
            ([""], set(TYPES)),
            (["swap.complete"], {"swap.complete"}),
            (["swap.complete,swap.failed"], {"swap.complete", "swap.failed"}),
            (["schedule.*", "service.action"], {t for t in TYPES if t.startswith("schedule.")}
             | {"service.action"}),
            (
                ["*.failed"],
                {f"{what}.failed" for what in ("swap", "download", "update", "install", "overlay")},
            ),
            ([">"], set(TYPES)),
        ],
    )  # fmt: skip
    def test_patterns(self, patterns: list[str], expected: set[str]) -> None:
        assert wanted(patterns).types == expected

    @pytest.mark.parametrize(
        "pattern", ["swap", "swap.progress", "lock.*.x", "spark.*.*", "♥", "*"]
    )
    def test_a_pattern_that_names_nothing_is_refused_with_the_list(self, pattern: str) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            wanted(["swap.complete", pattern])
        assert refused.value.details["unknown"] == [pattern]
        assert refused.value.details["types"] == list(TYPES)


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
