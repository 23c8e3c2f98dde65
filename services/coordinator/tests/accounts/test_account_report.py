"""What is told stays within one message, and what is kept within its bounds, whatever happens."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.book_file import transaction
from spark_common.bus import wire
from spark_coordinator.accounts.book import (
    HOLDERS_PER_DAY,
    MOST_FACTS,
    OTHERS,
    AccountBook,
    largest,
)
from spark_coordinator.accounts.days import KEPT_DAYS, day_of, start_of
from spark_coordinator.accounts.facts import Fact
from spark_coordinator.accounts.ledger import Tally, tallies_of
from spark_coordinator.accounts.report import report, since_of

TODAY = date(2026, 1, 10)
NOW = start_of(TODAY) + 12 * 3600.0
DAY = 86400.0


def many(holders, days, label="h"):
    return {
        (TODAY - timedelta(days=day), f"{label}{number}"): Tally(1, 3600.0 + number, 60.0, 1, 30.0)
        for day in range(days)
        for number in range(holders)
    }


@pytest.mark.parametrize(("holders", "days"), [(3, 7), (500, 1), (200, 30), (300, 400)])
def test_an_answer_fits_into_one_message_and_loses_no_minute(holders, days):
    tallies = many(holders, days, "ä" * 190)
    told = report(tallies, since_of(days, NOW), NOW, None)
    assert len(wire.write(told)) < 1024 * 1024
    assert len(told.holders) <= 51
    held = sum(tally.held for tally in tallies.values()) / 60
    assert sum(account.held_minutes for account in told.holders) == pytest.approx(held, rel=1e-4)
    if holders > 50:
        assert OTHERS in {account.holder for account in told.holders}
    longest = [account.held_minutes for account in told.holders]
    assert longest == sorted(longest, reverse=True)


@pytest.mark.parametrize(
    ("began", "days", "free"),
    [
        (None, 7, 0.0),
        (NOW - 3600, 7, 30.0),
        (NOW - 3600, 1, 30.0),
        (NOW - 30 * DAY, 1, 11.5 * 60),
        (NOW - 30 * DAY, 2, 11.5 * 60 + 24 * 60),
    ],
    ids=["nothing is known", "an hour", "an hour, today", "all of today", "two days"],
)
def test_free_is_what_nobody_held_since_something_is_known(began, days, free):
    tallies = {(TODAY, "Alice"): Tally(1, 1800.0)}
    told = report(tallies, since_of(days, NOW), NOW, began)
    assert told.free_minutes == free


def test_holders_of_a_day_are_bounded_and_the_rest_counts_together():
    kept = largest(many(HOLDERS_PER_DAY + 20, 1), HOLDERS_PER_DAY)
    assert len(kept) == HOLDERS_PER_DAY + 1
    assert kept[TODAY, OTHERS].leases == 20
    # Those who held least are the others.
    assert (TODAY, "h0") not in kept


@pytest.fixture
def book(tmp_path):
    made = AccountBook(tmp_path / "a.sqlite")
    yield made
    made.close()


def a_lease(epoch, start, seconds=600.0):
    return [
        Fact(f"b{epoch}", start, "began", "Alice", epoch, until=start + 7200),
        Fact(f"e{epoch}", start + seconds, "ended", "Alice", epoch, seconds=seconds),
    ]


def test_four_hundred_days_are_kept_and_no_more(book):
    first = NOW - 410 * DAY
    for day in range(411):
        book.record(a_lease(day + 1, first + day * DAY))
    book.sum_up(day_of(NOW - 2 * DAY), NOW)
    days = {day for day, _ in book.tallies(date.min, NOW)}
    assert len(days) == KEPT_DAYS
    assert min(days) == TODAY - timedelta(days=KEPT_DAYS - 1)
    left = book._db.execute("SELECT count(*) FROM facts").fetchone()[0]
    assert left <= 2 * 4


def test_facts_are_bounded_even_when_they_come_in_a_flood(book):
    flood = [Fact(f"q{n}", NOW - n / 1e3, "queued", "x", ticket=f"t{n}") for n in range(2000)]
    book.record(flood)
    with transaction(book._db):
        book._db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO facts SELECT 'f' || i, 0, 'queued', 'x', 0, NULL, 0, 'f', '[]' FROM n",
            (MOST_FACTS,),
        )
    book.sum_up(date.min, NOW)
    left = book._db.execute("SELECT count(*) FROM facts").fetchone()[0]
    assert left == MOST_FACTS
    newest = book._db.execute("SELECT count(*) FROM facts WHERE id LIKE 'q%'").fetchone()[0]
    assert newest == 2000


def test_a_day_that_was_summed_up_is_final(book):
    book.record(a_lease(1, NOW - 5 * DAY))
    book.sum_up(day_of(NOW - 2 * DAY), NOW)
    before = dict(book.tallies(date.min, NOW))
    book.record(a_lease(1, NOW - 5 * DAY) + a_lease(7, NOW - 4 * DAY))
    book.sum_up(day_of(NOW - DAY), NOW)
    assert book.tallies(date.min, NOW) == before


def test_idle_time_is_summed_up_with_its_day(book):
    yesterday = NOW - 3 * DAY
    book.record(a_lease(1, yesterday))
    book.idle("Alice", yesterday, yesterday + 300)
    book.idle("Alice", yesterday + 400, yesterday + 450)
    book.sum_up(day_of(NOW - DAY), NOW)
    assert book.tallies(date.min, NOW)[day_of(yesterday), "Alice"].idle == 350
    assert book._db.execute("SELECT count(*) FROM sampled").fetchone()[0] == 0


MOMENTS = st.floats(NOW - 3 * DAY, NOW + DAY) | st.sampled_from([0.0, NOW, NOW - DAY, NOW + 9e9])
FACTS = st.builds(
    Fact,
    id=st.integers(0, 30).map(str),
    at=MOMENTS,
    kind=st.sampled_from(
        ["began", "extended", "ended", "overridden", "queued", "left", "line", "swap"]
    ),
    holder=st.sampled_from(["Alice", "Bob", "Carol"]),
    epoch=st.integers(0, 4),
    until=st.none() | MOMENTS,
    seconds=st.floats(0, 4 * DAY) | st.just(1e12),
    ticket=st.none() | st.sampled_from(["t1", "t2"]),
    line=st.lists(
        st.tuples(st.sampled_from(["t1", "t2"]), st.just("Bob"), MOMENTS, MOMENTS), max_size=2
    ).map(tuple),
)


@given(st.lists(FACTS, max_size=14))
@settings(max_examples=150, deadline=None)
def test_no_clock_makes_time_negative_or_a_day_longer_than_it_is(facts):
    held = {}
    for (day, _), tally in tallies_of(facts, NOW).items():
        assert min(tally.held, tally.imposed, tally.leases, tally.swaps) >= 0
        held[day] = held.get(day, 0.0) + tally.held
    assert all(seconds <= DAY + 1e-3 for seconds in held.values())
    assert all(day <= TODAY for day in held)
    assert datetime.fromtimestamp(NOW, UTC).date() == TODAY
