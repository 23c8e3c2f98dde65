"""The parts of the one order of events, each alone: merging, shelves, cursors, patterns. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.errors import InvalidRequestError
from spark_gateway.streams.event_cursor import Place, digest, read_cursor, write_cursor
from spark_gateway.streams.event_merge import Candidates, merge
from spark_gateway.streams.event_record import Record, Shelf
from spark_gateway.streams.event_types import REPLAYED, TYPES, type_of, wanted


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
