"""The fair line: shares by weight, nobody starves, nobody saves up, and places told are true."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.queueing.line import FairLine


@dataclass(frozen=True, eq=False)
class Waiter:
    share: str
    weight: int = 1


def anybody(_):
    return True


def filled(counts, weights):
    line = FairLine()
    for share, count in counts.items():
        for _ in range(count):
            line.join(Waiter(share, weights.get(share, 1)))
    return line


WEIGHTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 9), min_size=2)


@given(WEIGHTS, st.integers(1, 200))
def test_those_who_have_enough_waiting_get_turns_by_their_weights(weights, turns):
    line = filled(dict.fromkeys(weights, 200), weights)
    got = Counter(line.next(anybody).share for _ in range(turns))
    for one, weight in weights.items():
        for other, heavier in weights.items():
            # In turns of each one's own size nobody is ever more than one ahead.
            apart = got[one] / weight - got[other] / heavier
            assert abs(apart) <= 1 / weight + 1 / heavier + 1e-6


@given(st.lists(st.sampled_from("abcd"), max_size=60))
def test_with_equal_weights_they_take_turns_and_each_ones_own_come_in_order(arrivals):
    line = FairLine()
    waiters = [Waiter(share) for share in arrivals]
    for waiter in waiters:
        line.join(waiter)
    out = [line.next(anybody) for _ in waiters]
    assert len(line) == 0
    for share in "abcd":
        assert [w for w in out if w.share == share] == [w for w in waiters if w.share == share]
    for place, waiter in enumerate(out):
        number = sum(w.share == waiter.share for w in out[:place])
        for share in "abcd":
            before = sum(w.share == share for w in out[:place])
            assert before <= number + 1


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 5)), min_size=1, max_size=40),
    st.integers(0, 10),
)
def test_the_place_that_is_told_is_the_place_one_gets(arrivals, taken):
    line = FairLine()
    waiters = [Waiter(share, {"a": 1, "b": 2, "c": 3, "d": 7}[share]) for share, _ in arrivals]
    for waiter in waiters:
        line.join(waiter)
    for _ in range(min(taken, len(waiters) - 1)):
        waiters.remove(line.next(anybody))
    told = {waiter: line.before(waiter) for waiter in waiters}
    for place in range(len(waiters)):
        assert told[line.next(anybody)] == place


def test_a_newcomer_waits_for_one_turn_and_not_for_the_whole_line_of_another():
    line = filled({"hog": 100}, {})
    for _ in range(10):
        line.next(anybody)
    late = Waiter("late")
    line.join(late)
    assert late in (line.next(anybody), line.next(anybody))


def test_nobody_saves_up_turns_by_staying_away_or_by_being_held_up():
    line = filled({"a": 200, "b": 50}, {})
    for _ in range(50):
        assert line.next(lambda waiter: waiter.share == "a").share == "a"
    got = Counter(line.next(anybody).share for _ in range(20))
    assert got["b"] <= 11
    line = filled({"a": 200}, {})
    for _ in range(50):
        line.next(anybody)
    for _ in range(50):
        line.join(Waiter("b"))
    got = Counter(line.next(anybody).share for _ in range(20))
    assert got == {"a": 10, "b": 10}


def test_who_leaves_is_gone_and_twice_is_a_mistake():
    line = FairLine()
    stays, goes = Waiter("a"), Waiter("a")
    line.join(stays)
    line.join(goes)
    line.leave(goes)
    with pytest.raises(ValueError, match="not in"):
        line.leave(goes)
    assert (line.next(anybody), line.next(anybody), len(line)) == (stays, None, 0)
    with pytest.raises(ValueError, match="nobody"):
        line.leave(stays)
