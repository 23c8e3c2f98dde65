"""Facts become numbers: by day, by holder, in any order, however often they are told."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_coordinator.accounts.book import AccountBook
from spark_coordinator.accounts.days import day_of, pieces, start_of
from spark_coordinator.accounts.facts import Fact
from spark_coordinator.accounts.ledger import tallies_of

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC).timestamp()
TODAY = date(2026, 1, 10)
HOUR = 3600.0


def lease(epoch, holder, start, end=None, ttl=24 * HOUR):
    facts = [Fact(f"b{epoch}", start, "began", holder, epoch, until=start + ttl)]
    if end is not None:
        facts.append(Fact(f"e{epoch}", end, "ended", holder, epoch, seconds=end - start))
    return facts


def wait(ticket, holder, start, end=None):
    facts = [Fact(f"q{ticket}", start, "queued", holder, ticket=ticket)]
    if end is not None:
        facts.append(Fact(f"l{ticket}", end, "left", holder, ticket=ticket))
    return facts


def swap(id, who, end, seconds):
    return Fact(f"s{id}", end, "swap", who, seconds=seconds)


def minutes(tallies, holder, what="held", day=None):
    return sum(
        getattr(tally, what) / 60
        for (on, who), tally in tallies.items()
        if who == holder and day in (None, on)
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 0, []),
        (10, 5, []),
        (0, 60, [(date(1970, 1, 1), 60)]),
        (86390, 86410, [(date(1970, 1, 1), 10), (date(1970, 1, 2), 10)]),
    ],
)
def test_days_split_at_midnight_utc_and_nothing_runs_backwards(start, end, expected):
    assert list(pieces(start, end)) == expected


def test_a_lease_counts_from_its_beginning_to_its_end():
    tallies = tallies_of(lease(1, "Alice", NOON, NOON + HOUR), NOON + 9 * HOUR)
    assert minutes(tallies, "Alice") == 60
    assert tallies[TODAY, "Alice"].leases == 1


def test_a_lease_over_midnight_is_two_days_and_one_lease():
    end = start_of(date(2026, 1, 11)) + HOUR
    tallies = tallies_of(lease(1, "Alice", end - 3 * HOUR, end), NOON + 90 * HOUR)
    assert minutes(tallies, "Alice", day=TODAY) == 120
    assert minutes(tallies, "Alice", day=date(2026, 1, 11)) == 60
    assert minutes(tallies, "Alice", "leases") * 60 == 1


@pytest.mark.parametrize(
    ("facts", "now", "expected"),
    [
        (lease(1, "Alice", NOON), NOON + HOUR, 60),
        (lease(1, "Alice", NOON, ttl=HOUR), NOON + 5 * HOUR, 60),
        (lease(1, "Alice", NOON, NOON + 3 * HOUR, ttl=HOUR), NOON + 5 * HOUR, 60),
        (
            [
                *lease(1, "Alice", NOON, NOON + 2 * HOUR, ttl=HOUR),
                Fact("x", NOON + 1800, "extended", "Alice", 1, until=NOON + 3 * HOUR),
            ],
            NOON + 5 * HOUR,
            120,
        ),
        (lease(1, "Alice", NOON)[:1] + lease(2, "Bob", NOON + HOUR), NOON + 2 * HOUR, 60),
        (lease(1, "Alice", NOON, NOON + HOUR)[1:], NOON + 2 * HOUR, 60),
        (lease(1, "Alice", NOON), NOON - HOUR, 0),
        (
            [
                Fact("b", NOON, "began", "Alice", 1, until=NOON + 2 * HOUR),
                Fact("e", NOON - 9 * HOUR, "ended", "Alice", 1, seconds=HOUR),
            ],
            NOON + 5 * HOUR,
            60,
        ),
    ],
    ids=[
        "open",
        "open and past its time",
        "told late",
        "extended",
        "its end was never told",
        "its beginning was never told",
        "begun in the future",
        "the clock went back meanwhile",
    ],
)
def test_what_is_held(facts, now, expected):
    assert minutes(tallies_of(facts, now), "Alice") == expected


def test_numbers_that_begin_anew_are_other_leases():
    facts = [
        *lease(1, "Alice", NOON, NOON + HOUR),
        Fact("b1'", NOON + 2 * HOUR, "began", "Bob", 1, until=NOON + 9 * HOUR),
        Fact("e1'", NOON + 3 * HOUR, "ended", "Bob", 1, seconds=HOUR),
    ]
    tallies = tallies_of(facts, NOON + 9 * HOUR)
    assert (minutes(tallies, "Alice"), minutes(tallies, "Bob")) == (60, 60)


def test_whoever_holds_is_charged_with_each_that_waits_meanwhile():
    facts = [
        *lease(1, "Alice", NOON, NOON + HOUR),
        *lease(2, "Bob", NOON + HOUR, NOON + 2 * HOUR),
        *wait("t1", "Bob", NOON + 1800, NOON + HOUR),
        *wait("t2", "Carol", NOON + 1800, NOON + 1.5 * HOUR),
        *wait("t3", "Alice", NOON + 600, NOON + 1200),
    ]
    tallies = tallies_of(facts, NOON + 9 * HOUR)
    assert minutes(tallies, "Alice", "imposed") == 60
    assert minutes(tallies, "Bob", "imposed") == 30
    assert minutes(tallies, "Carol", "imposed") == 0


def test_a_line_says_who_stands_in_it_and_who_does_not_any_more():
    place = ("t1", "Bob", NOON, NOON + 9 * HOUR)
    facts = [
        *lease(1, "Alice", NOON, NOON + 5 * HOUR),
        Fact("l1", NOON + 600, "line", line=(place,)),
        Fact("l2", NOON + HOUR, "line", line=()),
    ]
    assert minutes(tallies_of(facts, NOON + 9 * HOUR), "Alice", "imposed") == 60


def test_nobody_waits_longer_than_the_place_lasts():
    facts = [
        *lease(1, "Alice", NOON, NOON + 5 * HOUR),
        Fact("l1", NOON, "line", line=(("t1", "Bob", NOON, NOON + HOUR),)),
    ]
    assert minutes(tallies_of(facts, NOON + 9 * HOUR), "Alice", "imposed") == 60


def test_a_swap_is_the_holders_or_else_of_who_asked():
    facts = [
        *lease(1, "Alice", NOON, NOON + HOUR),
        swap(1, "a script", NOON + 900, 300),
        swap(2, "Bob", NOON + 2 * HOUR, 600),
    ]
    tallies = tallies_of(facts, NOON + 9 * HOUR)
    assert (tallies[TODAY, "Alice"].swaps, tallies[TODAY, "Alice"].imposed) == (1, 300)
    assert (tallies[TODAY, "Bob"].swaps, tallies[TODAY, "Bob"].imposed) == (1, 600)


def test_a_swap_through_the_lease_is_not_the_holders():
    facts = [
        *lease(1, "Alice", NOON, NOON + HOUR),
        Fact("o", NOON + 500, "overridden", "Bob", 1),
        swap(1, "Bob", NOON + 900, 300),
    ]
    tallies = tallies_of(facts, NOON + 9 * HOUR)
    assert tallies[TODAY, "Bob"].swaps == 1
    assert tallies[TODAY, "Alice"].swaps == 0
    assert minutes(tallies, "Alice") == 60


# Whole histories: every second of a few days, counted one by one, against the ledger.

STEP = 3600
DAYS = 5
EPOCH = start_of(date(2026, 1, 10))


@st.composite
def histories(draw):
    """Leases one after the other, people in line, swaps; times in whole steps."""
    steps = DAYS * 86400 // STEP
    moment, facts = 0, []
    for epoch in range(1, draw(st.integers(0, 8)) + 1):
        start = moment + draw(st.integers(0, steps // 6))
        end = start + draw(st.integers(0, steps // 4))
        if end >= steps:
            break
        holder = draw(st.sampled_from(["Alice", "Bob", "Carol"]))
        facts += lease(epoch, holder, EPOCH + start * STEP, EPOCH + end * STEP, ttl=9 * 86400)
        moment = end
    for ticket in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, steps - 1))
        end = min(steps, start + draw(st.integers(0, steps // 5)))
        who = draw(st.sampled_from(["Alice", "Bob", "Dave"]))
        facts += wait(f"t{ticket}", who, EPOCH + start * STEP, EPOCH + end * STEP)
    for number in range(draw(st.integers(0, 5))):
        end = draw(st.integers(1, steps))
        seconds = draw(st.integers(0, min(end, 9))) * STEP
        who = draw(st.sampled_from(["Bob", "Eve"]))
        facts.append(swap(number, who, EPOCH + end * STEP, seconds))
    return facts


def counted(facts):
    """The same numbers the slow way: step by step."""
    by_id = {fact.id: fact for fact in facts}
    held = defaultdict(float)
    imposed = defaultdict(float)
    swaps = defaultdict(int)

    def holder_at(moment):
        for fact in facts:
            end = by_id.get(f"e{fact.epoch}")
            if fact.kind == "began" and fact.at <= moment < end.at:
                return fact.holder
        return None

    for step in range(DAYS * 86400 // STEP):
        moment = EPOCH + step * STEP
        day, holder = day_of(moment), holder_at(moment)
        if holder is not None:
            held[day, holder] += STEP
            for fact in facts:
                if fact.kind == "queued" and fact.holder != holder:
                    imposed[day, holder] += (
                        STEP if fact.at <= moment < by_id[f"l{fact.ticket}"].at else 0
                    )
        for fact in facts:
            if fact.kind == "swap" and fact.at - fact.seconds <= moment < fact.at:
                imposed[day, holder_at(fact.at - fact.seconds) or fact.holder] += STEP
    for fact in facts:
        if fact.kind == "swap":
            swaps[day_of(fact.at), holder_at(fact.at - fact.seconds) or fact.holder] += 1
    return held, imposed, swaps


def plain(tallies):
    return {
        key: (t.leases, round(t.held, 3), t.swaps, round(t.imposed, 3))
        for key, t in tallies.items()
        if (t.leases, t.held, t.swaps, t.imposed) != (0, 0, 0, 0)
    }


LATER = EPOCH + 30 * 86400


@given(histories())
@settings(max_examples=40, deadline=None)
def test_the_ledger_agrees_with_counting_every_second(facts):
    tallies = tallies_of(facts, LATER)
    held, imposed, swaps = counted(facts)
    for (day, holder), tally in tallies.items():
        assert tally.held == pytest.approx(held[day, holder])
        assert tally.imposed == pytest.approx(imposed[day, holder])
        assert tally.swaps == swaps[day, holder]
    assert sum(t.held for t in tallies.values()) == pytest.approx(sum(held.values()))
    assert sum(t.imposed for t in tallies.values()) == pytest.approx(sum(imposed.values()))


@given(histories(), st.randoms(use_true_random=False), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_order_and_repeats_change_nothing(facts, chance, repeats):
    told = [*facts, *(chance.choice(facts) for _ in range(repeats) if facts)]
    chance.shuffle(told)
    assert plain(tallies_of(told, LATER)) == plain(tallies_of(facts, LATER))


@given(histories(), st.integers(0, DAYS + 1), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_book_that_sums_up_as_it_goes_says_the_same_also_when_all_is_told_again(
    tmp_path_factory, facts, closed_days, seed
):
    chance = random.Random(seed)
    expected = plain(tallies_of(facts, LATER))
    book = AccountBook(tmp_path_factory.mktemp("book") / "a.sqlite")
    try:
        for day in range(DAYS + 1):
            midnight = EPOCH + day * 86400
            today = [fact for fact in facts if midnight <= fact.at < midnight + 86400]
            chance.shuffle(today)
            for fact in today:
                book.record([fact])
            if day < closed_days:
                # Two days later, as the coordinator does it.
                book.sum_up(day_of(midnight - 2 * 86400), midnight + 86400)
        book.sum_up(day_of(EPOCH + closed_days * 86400), LATER)
        assert plain(book.tallies(date.min, LATER)) == expected
        book.record(facts)
        book.sum_up(day_of(EPOCH + 20 * 86400), LATER)
        assert plain(book.tallies(date.min, LATER)) == expected
        if facts:
            assert book.began == min(fact.at for fact in facts)
    finally:
        book.close()
